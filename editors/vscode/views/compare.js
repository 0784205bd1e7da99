/* Draws what the extension sends: a comparison that fills in as completions arrive. */

const LONGEST = 600; // tokens that are compared one by one

const problem = h("p", { class: "problem", role: "alert" });
const progress = h("p", { class: "progress note", role: "status" });
const grid = h("div", { id: "grid" });
const fields = {
  temperatures: field("Temperatures", "temperatures"),
  seeds: field("Seeds", "seeds"),
  topK: field("Top K", "topK"),
  topP: field("Top P", "topP"),
};
const form = h(
  "form",
  { onsubmit: (event) => { event.preventDefault(); submit(); } },
  ...Object.values(fields).map(({ label }) => label),
  h("button", { type: "submit" }, "Compare"),
);
const place = h("p", { class: "note" });
page.replaceChildren(h("h1", {}, "Compare completions"), place, form, problem, progress, grid);

function field(name, key) {
  const input = h("input", { type: "text", inputmode: "decimal", id: key, autocomplete: "off", spellcheck: "false" });
  return { input, label: h("label", { for: key }, h("span", {}, name), input) };
}

/* The extension reads the values, and says what is invalid. */
function submit() {
  vscode.postMessage({ compare: Object.fromEntries(Object.entries(fields).map(([key, { input }]) => [key, input.value])) });
}

window.addEventListener("message", ({ data }) => {
  if (data.fields) for (const [key, value] of Object.entries(data.fields)) fields[key].input.value = value;
  problem.textContent = data.problem ?? "";
  if (data.comparison) draw(data.comparison);
});

function draw({ where, before, progress: done, current, rows }) {
  if (progress.textContent !== done) progress.textContent = done; // a screen reader says it again each time
  place.textContent = `${where}. Underlined: what the current completion does not have. Choose one to use its parameters in this project.`;
  // The focus stays on the same cell.
  const focused = document.activeElement?.id;
  grid.replaceChildren(
    h("h2", {}, "Current"),
    h("div", { class: "cells" }, cell(current, before, null)),
    ...rows.flatMap(({ title, cells }) => [
      h("h2", {}, title),
      h("div", { class: "cells" }, ...cells.map((one) => cell(one, before, current))),
    ]),
  );
  if (focused) document.getElementById(focused)?.focus();
}

/* `current`: what to mark the difference to; null: this is it. */
function cell(one, before, current) {
  const name = h("span", { class: "name" }, h("span", {}, one.name), h("small", {}, one.note));
  const isCurrent = current === null || (one.text !== "" && one.text === current.text);
  const attributes = { class: isCurrent ? "cell current" : "cell", id: one.id };
  if (!one.text) return h("div", attributes, name, h("p", {}, one.message));
  const code = one.sameAs
    ? h("p", {}, `The same text as ${one.sameAs}.`)
    : h("pre", {}, h("span", { class: "around" }, before), ...marked(one.text, isCurrent ? one.text : current.text));
  if (current === null) return h("div", attributes, name, code);
  const label = `${one.name}, ${one.row}: use these parameters`;
  return h("button", { ...attributes, type: "button", title: "Use these parameters", "aria-label": `${label}. ${one.text}`, onclick: () => vscode.postMessage({ adopt: one.id }) }, name, code);
}

/* The text, with what another one does not have marked, and a bar where something of the other one is missing. */
function marked(text, other) {
  if (text === other) return [text];
  const [a, b] = [tokens(other), tokens(text)];
  if (a.length > LONGEST || b.length > LONGEST) return [h("ins", {}, text)];
  const parts = differences(a, b);
  return parts.flatMap(({ kind, text: part }, index) => {
    if (kind === "added") return inserted(part);
    if (kind === "same") return [part];
    // Where something else came instead, that is marked already.
    const replaced = [parts[index - 1], parts[index + 1]].some((next) => next?.kind === "added");
    return replaced ? [] : [h("i", { class: "gone", title: `Only in the current completion: ${part}` })];
  });
}

/* Marked text; indentation is not. */
function inserted(text) {
  return text.split(/(\n[^\S\n]*|^[^\S\n]+)/).filter(Boolean).map((part) => (part.trim() ? h("ins", {}, part) : part));
}
