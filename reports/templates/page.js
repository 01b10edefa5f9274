// The page around the table: light and dark, and paper.
const THEMES = ["system", "light", "dark"];
const remembered = () => { try { return localStorage.getItem("stillin-theme"); } catch { return null; } };
const remember = (theme) => { try { localStorage.setItem("stillin-theme", theme); } catch { /* A page from a mail may have no storage. */ } };
const setTheme = (theme) => {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  byId("theme").textContent = "Theme: " + theme;
};
let theme = THEMES.includes(remembered()) ? remembered() : "system";
setTheme(theme);
byId("tools").hidden = false;
byId("theme").addEventListener("click", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  setTheme(theme);
  remember(theme);
});
byId("print").addEventListener("click", () => print());

// On paper: every finding that is looked for, first as a table, then one by one.
const PRINTED = 300;
const PAPER = 680;
let isPaper = false;
const toPaper = () => {
  if (isPaper) return;
  isPaper = true;
  for (const details of document.querySelectorAll("details:not([open])")) {
    details.open = details.wasClosed = true;
  }
  if (!body) return;
  while (list.drawn < list.shown.length) extend();
  const some = list.shown.slice(0, PRINTED);
  const dossier = byId("dossier");
  dossier.append(el("h2", {}, "The findings one by one"));
  if (some.length < list.shown.length) {
    const words = "The first " + some.length + " of " + list.shown.length.toLocaleString("en") + "; search or filter before printing to get others.";
    dossier.append(el("p", { class: "lead" }, words));
  }
  dossier.append(...some.map((n) => findingOf(data.findings[n], PAPER)));
  drawAll(dossier);
  dossier.hidden = false;
};
const fromPaper = () => {
  isPaper = false;
  for (const details of document.querySelectorAll("details")) {
    if (details.wasClosed) details.open = details.wasClosed = false;
  }
  if (!body) return;
  byId("dossier").replaceChildren();
  byId("dossier").hidden = true;
};
addEventListener("beforeprint", toPaper);
addEventListener("afterprint", fromPaper);
matchMedia("print").addEventListener("change", (event) => (event.matches ? toPaper() : fromPaper()));

let resizing = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(() => { if (body) drawAll(body); });
});
if (body) start();
