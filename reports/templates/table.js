// The table of findings: what is asked for, in the order that is asked for, as much as is looked at. The first rows stand
// in the page, and the others where only a reader without scripts has them; here each is made when it is looked at.
const STEP = 100;
const table = byId("list");
const body = table && table.tBodies[0];
const rows = [];
const KEYS = [
  (n) => n, (n) => text(data.findings[n].account).toLowerCase(), (n) => data.findings[n].sort[0], (n) => -data.findings[n].sort[4],
  (n) => -data.findings[n].sort[5], (n) => -data.findings[n].sort[2], (n) => -data.findings[n].sort[1], (n) => -data.findings[n].sort[3],
  (n) => text(data.findings[n].place).toLowerCase(),
];
const rowOf = (n) => {
  if (rows[n]) return rows[n];
  const { id, account, kind, grade, state, sort, data: moved, place } = data.findings[n];
  const button = el("button", { type: "button", "aria-expanded": "false", "aria-label": id + ": open or close" }, id);
  const cells = [
    button, text(account), [text(kind) + " ", el("small", {}, moment(sort[0]))], badge(grade), badge(state), lasting(sort[2]), moment(sort[1]),
    [sort[3].toLocaleString("en") + " ", el("small", {}, moved ? moved.toLocaleString("en") + " with data" : "")], text(place),
  ];
  const isOfLogs = (at) => at === 1 || at === 8;
  rows[n] = el("tr", { id }, cells.map((cell, at) => el("td", { class: isOfLogs(at) && "t" }, cell)));
  rows[n].number = n;
  return rows[n];
};
const all = data.findings.map((_, n) => n);
const list = { shown: all, drawn: 0, by: 0, back: false };

const searched = [];
const words = (n) => {
  if (searched[n] === undefined) {
    const finding = data.findings[n];
    const more = finding.paths.flatMap((path) => [path.server, path.pool, path.protocol, path.name, path.class, ...path.clients, ...path.see.map(([at]) => at)]);
    const own = [finding.account, finding.kind, finding.change, finding.grade[0], finding.state[0], finding.served, finding.place];
    searched[n] = (finding.id + " " + own.concat(more, finding.told).map(text).join(" ")).replace(/\u00a0/g, " ").toLowerCase();
  }
  return searched[n];
};

const extend = () => {
  const next = list.shown.slice(list.drawn, list.drawn + STEP);
  body.append(...next.map(rowOf));
  list.drawn += next.length;
  byId("rest").hidden = list.drawn >= list.shown.length;
  byId("next").textContent = "Show more (" + (list.shown.length - list.drawn).toLocaleString("en") + " are left)";
};

const arrange = () => {
  const wanted = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const [grade, state, kind, server] = ["grade", "state", "kind", "server"].map((id) => byId(id).value);
  list.shown = all.filter((n) => {
    const finding = data.findings[n];
    return (!grade || text(finding.grade[0]) === grade) && (!state || text(finding.state[0]).includes(state)) &&
      (!kind || text(finding.kind) === kind) && (!server || finding.servers.some((number) => text(number) === server)) &&
      wanted.every((word) => words(n).includes(word));
  });
  const key = KEYS[list.by], turn = list.back ? -1 : 1;
  const keys = new Map(list.shown.map((n) => [n, key(n)]));
  list.shown.sort((a, b) => (keys.get(a) < keys.get(b) ? -turn : keys.get(a) > keys.get(b) ? turn : a - b));
  body.replaceChildren();
  list.drawn = 0;
  rows.forEach((row) => { if (row.open) close(row); });
  extend();
  const n = list.shown.length, whole = many(all.length, "finding", "findings");
  byId("count").textContent = n === all.length ? whole : n.toLocaleString("en") + " of " + whole;
};

const sortBy = (column) => {
  list.back = list.by === column && !list.back;
  list.by = column;
  [...table.tHead.rows[0].cells].forEach((cell, n) => {
    if (n === column) cell.setAttribute("aria-sort", list.back ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  });
  arrange();
};

const opener = (row) => row.cells[0].querySelector("button");
const close = (row) => {
  if (!row.open) return;
  row.open.remove();
  row.open = null;
  opener(row).setAttribute("aria-expanded", "false");
};
const open = (row) => {
  if (row.open) return;
  const finding = data.findings[row.number];
  const cell = el("td", { colspan: 9 }, findingOf(finding));
  row.open = el("tr", { class: "detail", id: finding.id + "-detail" }, cell);
  row.after(row.open);
  opener(row).setAttribute("aria-expanded", "true");
  drawAll(cell);
};
const toggle = (row) => (row.open ? close(row) : open(row));

// Opens the finding that the address names.
const go = () => {
  const n = data.findings.findIndex((finding) => "#" + finding.id === location.hash);
  if (n < 0) return;
  if (!list.shown.includes(n)) { byId("filters").reset(); arrange(); }
  while (!rowOf(n).isConnected) extend();
  open(rows[n]);
  rows[n].scrollIntoView({ block: "start" });
  opener(rows[n]).focus({ preventScroll: true });
};

const start = () => {
  const names = new Set(data.findings.flatMap((finding) => finding.servers));
  byId("server").append(...[...names].map(text).sort().map((name) => el("option", {}, name)));
  [...table.tHead.rows[0].cells].forEach((cell, n) => {
    const button = el("button", { type: "button" }, cell.textContent);
    button.addEventListener("click", () => sortBy(n));
    cell.replaceChildren(button);
  });
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (!row || row.number === undefined) return;
    // Whoever marks a text to copy it does not want it to move.
    const isMarking = event.detail && !event.target.closest("button") && String(getSelection());
    if (!isMarking) toggle(row);
  });
  byId("filters").hidden = byId("keys").hidden = false;
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("input", arrange);
  byId("filters").addEventListener("reset", () => setTimeout(arrange));
  byId("next").addEventListener("click", extend);
  if ("IntersectionObserver" in window) {
    new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting) && !byId("rest").hidden) extend(); }, { rootMargin: "600px" }).observe(byId("rest"));
  }
  arrange();
  addEventListener("hashchange", go);
  if (location.hash) go();
  else if (all.length) open(rowOf(0));
};

addEventListener("keydown", (event) => {
  if (!body || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = event.target.closest("input, select, textarea");
  if (event.key === "Escape") { byId("filters").reset(); if (field) field.blur(); return; }
  if (field) return;
  if (event.key === "/") { event.preventDefault(); byId("search").focus(); }
  if (event.key !== "j" && event.key !== "k") return;
  const inside = event.target.closest("tr.detail");
  const row = inside ? inside.previousElementSibling : event.target.closest("tbody tr");
  const now = row ? list.shown.indexOf(row.number) : -1;
  const next = Math.max(0, Math.min(list.shown.length - 1, now + (event.key === "j" ? 1 : -1)));
  if (!list.shown.length) return;
  const aim = rowOf(list.shown[next]);
  while (!aim.isConnected) extend();
  opener(aim).focus();
});
