// One finding in full.
const badge = ([words, ink]) => el("span", { class: "badge " + ink }, text(words));
const row = (name, values) => values.length ? [el("dt", {}, name), values.map((value) => el("dd", { class: "t" }, typeof value === "string" ? tied(value) : value))] : [];
const place = (number) => el("code", {}, text(number));

const share = (path) => {
  const rest = path.requests - path.data;
  const words = many(path.data, "request", "requests") + " moved mailbox data, " + many(rest, "other", "others") + " did not, as far as the log tells";
  return el("span", {}, sv("svg", { class: "share", viewBox: "0 0 100 8", preserveAspectRatio: "none", role: "img", "aria-label": words },
    sv("title", {}, words), sv("rect", { class: "all", width: 100, height: 8 }), sv("rect", { class: "data", width: (100 * path.data / Math.max(1, path.requests)).toFixed(1), height: 8 })), " " + words);
};

const pathOf = (path) => el("div", { class: "path" },
  el("p", { class: "state " + path.state[1] }, text(path.state[0])),
  el("dl", {},
    row("access", [text(path.access)]),
    row("data", [share(path)]),
    row("how", [[text(path.class) + " ", badge(path.grade)]]),
    row("name", [text(path.name)].filter(Boolean)),
    row("client", path.clients.map(text)),
    row("why", path.why.filter((why) => text(why)).map(text)),
    row("see", path.see.map(([at, facts]) => [place(at), facts === null ? "" : tied(" " + text(facts))]))));

const headOf = (path) => el("h4", {}, el("strong", { class: "t" }, text(path.server)), " ", el("span", { class: "t" }, text(path.pool)), " ", el("small", {}, text(path.protocol)));

const draw = (figure) => {
  const { line, name, ended } = figure.timeline;
  const width = Math.max(280, figure.width || Math.floor(figure.clientWidth) || 680);
  if (figure.drawnAt === width) return;
  figure.drawnAt = width;
  const svg = drawn(line, name, ended, width);
  if (figure.querySelector("svg.timeline")) figure.replaceChild(svg, figure.querySelector("svg.timeline"));
  else figure.prepend(svg);
};

const lineOf = (finding, line, fixed) => {
  const paths = line.paths.map((n) => finding.paths[n]).filter(Boolean);
  if (!paths.length) return null;
  const path = paths[0];
  const certain = paths.filter((path) => text(path.grade[0]) === "certain"), others = paths.filter((path) => !certain.includes(path));
  const refused = (some) => (some.length ? some : paths).every((path) => text(path.state[0]).startsWith("refused"));
  const ended = { sure: refused(certain), maybe: refused(others) };
  const name = "Timeline of " + text(path.server) + " " + text(path.pool) + " for " + text(finding.account) + ": " + text(finding.change) + "; " + paths.map((path) => text(path.access)).join("; ");
  const figure = el("figure", {}, legend(line), inWords(line));
  figure.timeline = { line, name, ended };
  figure.width = fixed;
  return el("section", { class: "line" }, headOf(path), figure, paths.map(pathOf));
};

// `fixed` is the width of its pictures on paper.
const findingOf = (finding, fixed) => {
  const shown = new Set(finding.lines.flatMap((line) => line.paths));
  const article = el("article", { class: "finding" },
    el("header", {},
      el("h3", {}, finding.id + " ", el("span", { class: "t" }, text(finding.account)), " ", badge(finding.grade), " ", badge(finding.state)),
      el("p", {}, el("strong", {}, tied(text(finding.change)))),
      finding.caveats.map((caveat) => el("p", { class: "doubt" }, text(caveat))),
      el("p", {}, tied(text(finding.served))),
      el("dl", {}, row("told by", finding.told.map(place)), row("also", finding.others.map(text)), row("to do", finding.advice.map(text)))),
    finding.lines.map((line) => lineOf(finding, line, fixed)),
    finding.paths.filter((_, n) => !shown.has(n)).map((path) => el("section", { class: "line" }, headOf(path), pathOf(path))),
    finding.more ? el("p", { class: "more" }, "and " + many(finding.more, "more path", "more paths") + ", in the JSON report") : null);
  return article;
};
const drawAll = (node) => node.querySelectorAll("figure").forEach(draw);
