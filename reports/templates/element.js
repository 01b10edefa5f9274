// Elements out of words: the only way text gets into the page, and never as markup.
const SVG = "http://www.w3.org/2000/svg";
const fill = (node, attributes, children) => {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  for (const child of children.flat(2)) {
    if (child !== null && child !== undefined && child !== "") node.append(child);
  }
  return node;
};
const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const sv = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
// Words that are tied to each other, a number and its unit or a time, stay in one line, but for what is too long for one.
const tied = (words) => words.split(/( )/).map((word) => (word.includes("\u00a0") && word.length < 40 ? el("span", { class: "n" }, word) : word));
const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
document.querySelectorAll(".open small, .plainly li, .facts td, .ends span, h1").forEach((node) => {
  if (!node.children.length) node.replaceChildren(...tied(node.textContent));
});
const text = (number) => data.texts[number];
const many = (n, one, several) => n.toLocaleString("en") + " " + (n === 1 ? one : several);

// Times, of seconds since 1970, in UTC.
const two = (n) => String(n).padStart(2, "0");
const clock = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 19);
const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);
const moment = (seconds) => day(seconds) + " " + clock(seconds);
const span = (from, to) => {
  if (from === to) return moment(from);
  return moment(from) + " to " + (day(from) === day(to) ? clock(to) : moment(to));
};
const lasting = (seconds) => {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = Math.max(0, units.findIndex(([size]) => seconds >= size));
  let rest = seconds;
  const words = [];
  for (const [size, unit] of units.slice(seconds < 1 ? 3 : first).slice(0, 2)) {
    const n = Math.floor(rest / size);
    if (n > 0 || seconds < 1) words.push(n + "\u00a0" + unit);
    rest -= n * size;
  }
  return words.join(" ");
};
