// One timeline to a picture: when the change was, who was served before and after it, how long a token lived on.
const SHAPES = {
  "the-change": "M0,-7 L7,0 L0,7 L-7,0 Z",
  change: "M0,-5 L5,0 L0,5 L-5,0 Z",
  refusal: "M-5,-5 L5,5 M-5,5 L5,-5",
  restart: "M-5,-5 H5 V5 H-5 Z",
  hint: "M-5,-5 H5 V5 H-5 Z",
  logon: "M0,-5 L5,5 H-5 Z",
};
const MARKS = {
  "the-change": "the change", change: "another change", refusal: "refused", restart: "worker restarted",
  hint: "hint at a restart", logon: "password was asked for",
};
const STEPS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 345600, 604800, 1209600, 2592000, 7776000];

// While a token can have been alive: each request keeps it for the time of its life, restarts and refusals end it. What
// is not certain keeps none alive that certain requests used, so it has bands of its own.
const SURE = 1, MAYBE = 2;
const lives = (line, kind, ended) => {
  const bands = [];
  for (const [from, to, , , , , token] of line.runs) {
    if (token !== kind) continue;
    const last = bands[bands.length - 1];
    if (last && from <= last.to) last.to = Math.max(last.to, to + data.ttl);
    else bands.push({ from, to: to + data.ttl, used: to });
    bands[bands.length - 1].used = Math.max(bands[bands.length - 1].used, to);
  }
  const ends = line.marks.filter(([, what]) => what === "restart" || (ended && what === "refusal")).map(([at]) => at);
  return bands.flatMap((band) => {
    const cut = ends.find((at) => at > band.used && at < band.to);
    const parts = [{ ...band, to: cut === undefined ? band.to : cut }];
    for (const at of line.marks.filter(([at, what]) => what === "restart" && at > band.from && at <= band.used).map(([at]) => at)) {
      const last = parts.pop();
      parts.push({ ...last, to: at, used: at }, { ...last, from: at });
    }
    return parts;
  });
};

const runWords = (line, [from, to, n, moved, kind]) =>
  span(line.from + from, line.from + to) + ": " + many(n, "request", "requests") +
  (moved ? ", " + many(moved, "with data", "with data") : "") + "; " + text(kind);
const markWords = (line, [at, , words, times, place]) =>
  moment(line.from + at) + ": " + text(words) + (times > 1 ? ", " + times + " times" : "") +
  (place === null ? "" : " (" + text(place) + ")");

const drawn = (line, name, ended, width) => {
  const height = 142, top = 46, floor = 98, edge = 10;
  const bands = lives(line, SURE, ended.sure), maybe = lives(line, MAYBE, ended.maybe);
  const reach = bands.concat(maybe).reduce((most, band) => Math.max(most, band.to), line.to);
  const begin = Math.min(0, line.change), end = Math.max(reach, line.to, line.change) || 1;
  const pad = (end - begin) * 0.01;
  const x = (at) => edge + ((at - begin + pad) / (end - begin + 2 * pad)) * (width - 2 * edge);
  const rect = (kind, from, to, y, high, words, least) => {
    const left = Math.max(0, x(from)), right = Math.min(width, x(to));
    const shape = sv("rect", { class: kind, x: left.toFixed(1), y, width: Math.max(least, right - left).toFixed(1), height: high });
    return words ? sv("g", { role: "img", "aria-label": words }, sv("title", {}, words), shape) : shape;
  };
  const svg = sv("svg", { class: "timeline", viewBox: "0 0 " + width + " " + height, role: "group", "aria-label": name });
  const pattern = "hatch" + (drawn.number = (drawn.number || 0) + 1);
  svg.append(sv("defs", {}, sv("pattern", { id: pattern, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    sv("rect", { class: "hatch-ground", width: 6, height: 6 }), sv("line", { class: "hatch", y2: 6 }))));
  const dark = (from, to, words) => {
    const shape = rect("dark", from, to, 22, floor + 16 - 22, words, 1);
    shape.querySelector("rect").setAttribute("fill", "url(#" + pattern + ")");
    svg.append(shape);
  };
  // What no log shows.
  const outer = [begin - pad, end + pad];
  if (!line.log) dark(outer[0], outer[1], "no log of this server was supplied");
  else {
    if (line.log[0] > outer[0]) dark(outer[0], line.log[0], "before the log of this server begins, " + moment(line.from + line.log[0]));
    if (line.log[1] < outer[1]) dark(line.log[1], outer[1], "the log of this server ends at " + moment(line.from + line.log[1]) + ": what came after is not known");
    for (const [from, to] of line.holes) dark(from, to, "a hole in the log: nothing is known of " + span(line.from + from, line.from + to));
  }
  // Axis.
  const step = STEPS.find((size) => (size / (end - begin)) * width >= 74) || STEPS[STEPS.length - 1];
  const first = Math.ceil((line.from + begin - pad) / step) * step;
  let before = null;
  for (let at = first; at <= line.from + end + pad; at += step) {
    const place = x(at - line.from), date = day(at);
    svg.append(sv("line", { class: "tick", x1: place, x2: place, y1: 22, y2: floor + 18 }));
    if (place < 18 || place > width - 18) continue;
    if (step < 86400) svg.append(sv("text", { class: "axis", x: place, y: floor + 29, "text-anchor": "middle" }, clock(at).slice(0, 5)));
    if (date !== before) svg.append(sv("text", { class: "axis date", x: Math.max(32, Math.min(width - 32, place)), y: floor + (step < 86400 ? 39 : 29), "text-anchor": "middle" }, date));
    before = date;
  }
  svg.append(sv("line", { class: "floor", x1: 0, x2: width, y1: floor, y2: floor }));
  // Tokens; what is sure lies over what is not.
  for (const band of maybe) {
    const words = "not certain: requests that may be another client's can have kept a token alive " + span(line.from + band.from, line.from + band.to);
    svg.append(rect("life maybe", band.from, band.to, floor + 5, 8, words, 1));
  }
  for (const band of bands) {
    const words = "a token can have been alive " + span(line.from + band.from, line.from + band.to);
    const parts = [[band.from, Math.min(band.to, line.change), "life before"], [Math.max(band.from, line.change), Math.min(band.to, band.used), "life after"], [Math.max(band.from, band.used, line.change), band.to, "life idle"]];
    for (const [from, to, kind] of parts) if (to > from) svg.append(rect(kind, from, to, floor + 5, 8, words, 1));
  }
  // Requests: the taller, the more of them.
  const most = Math.max(1, ...line.runs.map(([, , n]) => n));
  for (const run of line.runs) {
    const [from, to, n, moved, , ink] = run;
    const high = 10 + (floor - top - 10) * (Math.log(1 + n) / Math.log(1 + most));
    const group = rect("run " + ink, from, to, (floor - high).toFixed(1), high.toFixed(1), runWords(line, run), 3);
    if (moved) {
      const part = Math.max(5, high * moved / n);
      const bar = group.querySelector("rect");
      group.append(sv("rect", { class: "run moved " + ink, x: bar.getAttribute("x"), width: bar.getAttribute("width"), y: (floor - part).toFixed(1), height: part.toFixed(1) }));
    }
    svg.append(group);
  }
  // What else happened; the change above all.
  for (const mark of line.marks) {
    const [at, what, words] = mark;
    const place = x(at), said = markWords(line, mark), is = what === "the-change";
    const group = sv("g", { class: "mark " + what, role: "img", "aria-label": said }, sv("title", {}, said));
    if (is || what === "restart" || what === "refusal") group.append(sv("line", { x1: place, x2: place, y1: 34, y2: floor + 14 }));
    group.append(sv("rect", { class: "hit", x: place - 8, y: 22, width: 16, height: 20 }));
    group.append(sv("path", { d: SHAPES[what], transform: "translate(" + place.toFixed(1) + ",31)" }));
    if (is) {
      const left = place > width / 2;
      const room = Math.floor((left ? place : width - place) / 7.2);
      const label = text(words) + ", " + clock(line.from + at);
      group.append(sv("text", { x: left ? place + 6 : place - 6, y: 15, "text-anchor": left ? "end" : "start" }, label.length > room ? label.slice(0, room - 1) + "…" : label));
    }
    svg.append(group);
  }
  return svg;
};

const legend = (line) => {
  const inks = new Map(line.runs.map((run) => [run[5], text(run[4])]));
  const box = (kind) => sv("svg", { viewBox: "0 0 14 12", "aria-hidden": "true" }, sv("rect", { class: kind, x: 2, y: 1, width: 10, height: 10 }));
  const names = { plain: "before the change", bad: "after it, certain", doubt: "after it, not certain", good: "after it, as it should be" };
  const items = [...inks.keys()].map((ink) => [box("run " + ink), names[ink]]);
  if (line.runs.some(([, , , moved]) => moved)) items.push([box("run moved bad"), "solid: moved mailbox data"]);
  if (line.runs.some((run) => run[6] === SURE)) items.push([box("life after"), "band: a token kept alive (each request for " + lasting(data.ttl) + ")"]);
  if (line.runs.some((run) => run[6] === MAYBE)) items.push([box("life maybe"), "dashed band: a token that may have been kept alive, not certain"]);
  for (const what of new Set(line.marks.map(([, what]) => what))) {
    items.push([sv("svg", { viewBox: "-7 -7 14 14", "aria-hidden": "true", class: "mark " + what }, sv("path", { d: SHAPES[what] })), MARKS[what]]);
  }
  items.push([box("dark swatch"), "hatched: no log shows it"]);
  return el("ul", { class: "legend" }, items.map(([sign, words]) => el("li", {}, sign, words)));
};

// The same in words, for those who do not see the picture, or want to copy.
const inWords = (line) => {
  const rows = line.runs.map((run) => [run[0], runWords(line, run)]).concat(line.marks.map((mark) => [mark[0], markWords(line, mark)]),
    line.holes.map(([from, to]) => [from, span(line.from + from, line.from + to) + ": a hole in the log"]));
  rows.sort((a, b) => a[0] - b[0]);
  const [requests, others] = line.out;
  const out = requests + others > 0
    ? el("p", { class: "more" }, "Not drawn, for there are too many: " + [requests && many(requests, "request", "requests"), others && many(others, "other event", "other events")].filter(Boolean).join(", ") + "; --requests has all of them.")
    : null;
  return [out, el("details", { class: "words" }, el("summary", {}, "The same in words"), el("ol", {}, rows.map(([, words]) => el("li", {}, words))))];
};
