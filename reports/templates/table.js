// The table of findings: what is asked for, in the order that is asked for, as much as is looked at.
const STEP = 100;
const table = byId("list");
const body = table && table.tBodies[0];
const rows = body ? [...body.rows] : [];
const KEYS = [
  (n) => n, (n) => text(data.findings[n].account).toLowerCase(), (n) => data.findings[n].sort[0], (n) => -data.findings[n].sort[4],
  (n) => -data.findings[n].sort[5], (n) => -data.findings[n].sort[2], (n) => -data.findings[n].sort[1], (n) => -data.findings[n].sort[3],
  (n) => rows[n].cells[8].textContent.toLowerCase(),
];
const list = { shown: rows.map((_, n) => n), drawn: 0, by: 0, back: false };

const searched = [];
const words = (n) => {
  if (searched[n] === undefined) {
    const finding = data.findings[n];
    const more = finding.paths.flatMap((path) => [path.server, path.pool, path.protocol, path.name, path.class, ...path.clients, ...path.see.map(([at]) => at)]);
    searched[n] = (rows[n].textContent + " " + more.concat(finding.told, finding.change).map(text).join(" ")).replace(/\u00a0/g, " ").toLowerCase();
  }
  return searched[n];
};

const extend = () => {
  const next = list.shown.slice(list.drawn, list.drawn + STEP);
  body.append(...next.map((n) => rows[n]));
  list.drawn += next.length;
  byId("rest").hidden = list.drawn >= list.shown.length;
  byId("next").textContent = "Show more (" + (list.shown.length - list.drawn).toLocaleString("en") + " are left)";
};

const arrange = () => {
  const wanted = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const [grade, state, kind, server] = ["grade", "state", "kind", "server"].map((id) => byId(id).value);
  list.shown = rows.map((_, n) => n).filter((n) => {
    const finding = data.findings[n];
    return (!grade || text(finding.grade[0]) === grade) && (!state || text(finding.state[0]).startsWith(state)) &&
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
  const all = rows.length, n = list.shown.length;
  byId("count").textContent = n === all ? many(all, "finding", "findings") : n.toLocaleString("en") + " of " + many(all, "finding", "findings");
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
  const finding = data.findings[rows.indexOf(row)];
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
  while (!rows[n].isConnected) extend();
  open(rows[n]);
  rows[n].scrollIntoView({ block: "start" });
  opener(rows[n]).focus({ preventScroll: true });
};

const start = () => {
  const names = new Set(data.findings.flatMap((finding) => finding.servers));
  byId("server").append(...[...names].map(text).sort().map((name) => el("option", {}, name)));
  rows.forEach((row, n) => {
    const id = data.findings[n].id;
    row.id = id;
    const button = el("button", { type: "button", "aria-expanded": "false", "aria-label": id + ": open or close" }, id);
    row.cells[0].replaceChildren(button);
  });
  [...table.tHead.rows[0].cells].forEach((cell, n) => {
    const button = el("button", { type: "button" }, cell.textContent);
    button.addEventListener("click", () => sortBy(n));
    cell.replaceChildren(button);
  });
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (!rows.includes(row)) return;
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
  else if (rows.length) open(rows[list.shown[0]]);
};

addEventListener("keydown", (event) => {
  if (!body || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = event.target.closest("input, select, textarea");
  if (event.key === "Escape") { byId("filters").reset(); if (field) field.blur(); return; }
  if (field) return;
  if (event.key === "/") { event.preventDefault(); byId("search").focus(); }
  if (event.key !== "j" && event.key !== "k") return;
  const now = list.shown.indexOf(rows.indexOf(event.target.closest("tr.detail") ? event.target.closest("tr.detail").previousElementSibling : event.target.closest("tbody tr")));
  const next = Math.max(0, Math.min(list.shown.length - 1, now + (event.key === "j" ? 1 : -1)));
  if (!list.shown.length) return;
  while (!rows[list.shown[next]].isConnected) extend();
  opener(rows[list.shown[next]]).focus();
});
