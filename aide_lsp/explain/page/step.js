/* The panel about one token: sliders, and what each parameter leaves. */

const ROWS = 12;
const COLUMNS = [
  ["raw", "Model", "softmax of all logits"],
  ["scaled", "Temperature", "divides the logits"],
  ["cut", "Top K", "keeps the K best"],
  ["final", "Top P", "keeps the top share"],
];

/* The selected token, and the parameters on the sliders. */
class StepPanel {
  constructor(explanation) {
    const set = explanation.completion.parameters;
    this.explanation = explanation;
    this.set = { temperature: set.temperature, topK: set.top_k, topP: set.top_p };
    this.values = { ...this.set };
    this.index = 0;
    this.all = false;
    this.body = h("div", { class: "step-body" });
    this.facts = h("div", { class: "facts" });
    this.sliders = this.makeSliders();
    this.reset = h("button", { class: "quiet", onclick: () => this.restore() }, "Reset");
    this.element = h(
      "section",
      { class: "step" },
      this.facts,
      h("div", { class: "sliders" }, ...this.sliders.map((slider) => slider.element), this.reset),
      this.body,
    );
  }

  makeSliders() {
    const { temperatures, vocabulary, tokens } = this.explanation;
    const logged = Math.min(...tokens.map((token) => token.step.candidates.length));
    const ks = Array.from({ length: logged }, (_, index) => index + 1);
    const ps = Array.from({ length: 101 }, (_, index) => index / 100);
    return [
      new Slider("Temperature", [0, ...temperatures], this.set.temperature, (v) => v.toString(), (value) => this.move({ temperature: value })),
      new Slider("Top K", sorted([...ks, this.set.topK, vocabulary]), this.set.topK, (v) => (v === vocabulary ? "all" : v.toString()), (value) => this.move({ topK: value })),
      new Slider("Top P", sorted([...ps, this.set.topP]), this.set.topP, (v) => v.toString(), (value) => this.move({ topP: value })),
    ];
  }

  move(change) {
    this.values = { ...this.values, ...change };
    this.draw();
  }

  restore() {
    this.values = { ...this.set };
    for (const slider of this.sliders) slider.restore();
    this.draw();
  }

  show(index) {
    this.index = index;
    this.draw();
  }

  draw() {
    const { temperatures, vocabulary, tokens } = this.explanation;
    const { step } = tokens[this.index];
    const now = distribution(step, temperatures, vocabulary, this.values);
    const fits = step.candidates.map((candidate) => candidate.fits);
    if (step.after_beginning !== null) now.final = keepFitting(now.final, fits);
    this.reset.disabled = Object.keys(this.set).every((key) => this.set[key] === this.values[key]);
    this.facts.replaceChildren(...this.describe(step, now));
    this.body.replaceChildren(this.table(step, now), cutChart(step, now, this.values), this.remark(step, now));
  }

  describe(step, now) {
    const at = step.candidates.findIndex((candidate) => candidate.token === step.token);
    const left = now.afterTopP === null ? `more than ${step.candidates.length}` : now.afterTopP.toLocaleString("en");
    const figures = [
      [at < 0 ? "–" : percent(now.final[at]), "when drawn"],
      [percent(step.raw_probability), `by the model, rank ${step.rank}`],
      [`${now.afterTopK.toLocaleString("en")} → ${left}`, "left by Top K → Top P"],
      [`${entropy(now.final).toFixed(2)} bits`, "entropy when drawn"],
      [`${step.raw_entropy.toFixed(2)} bits`, "entropy by the model"],
    ];
    return [
      h("h2", {}, `Token ${this.index + 1} of ${this.explanation.tokens.length} `, h("code", { class: "big" }, visible(step.text))),
      h("dl", {}, ...figures.map(([figure, label]) => h("div", {}, h("dt", {}, label), h("dd", {}, figure)))),
    ];
  }

  table(step, now) {
    const shown = this.all ? step.candidates.length : Math.min(ROWS, step.candidates.length);
    const indices = [...step.candidates.keys()].filter((index) => index < shown || step.candidates[index].token === step.token);
    const cuts = [0, 0, Math.min(now.afterTopK, step.candidates.length), now.afterTopP ?? step.candidates.length];
    const rows = indices.map((index) => {
      const candidate = step.candidates[index];
      const cells = COLUMNS.map(([key], column) => {
        const last = column >= 2 && index + 1 === cuts[column];
        return h("td", { class: last ? "cut" : null }, bar(now[key][index], index >= cuts[column] && column >= 2));
      });
      const chosen = candidate.token === step.token;
      return h("tr", { class: [chosen && "chosen", !candidate.fits && "unfit"].filter(Boolean).join(" ") || null }, h("th", { scope: "row" }, h("div", { class: "candidate" }, h("span", { class: "rank" }, `${index + 1}`), h("code", {}, visible(candidate.text)))), ...cells);
    });
    const rest = COLUMNS.map(([key]) => {
      const seen = total(indices.map((index) => now[key][index]));
      return h("td", {}, h("span", { class: "rest" }, percent(Math.max(0, 1 - seen) < 1e-9 ? 0 : 1 - seen)));
    });
    const heads = COLUMNS.map(([, name, doing], column) => h("th", { scope: "col" }, name, " ", h("span", { class: "value" }, value(column, this.values)), h("small", {}, doing)));
    return h(
      "div",
      {},
      h("table", {}, h("thead", {}, h("tr", {}, h("td", {}), ...heads)), h("tbody", {}, ...rows, h("tr", { class: "others" }, h("th", { scope: "row" }, "all others"), ...rest))),
      h("button", { class: "quiet", onclick: () => { this.all = !this.all; this.draw(); } }, this.all ? `Show the best ${ROWS}` : `Show all ${step.candidates.length} candidates`),
    );
  }

  remark(step, now) {
    const remarks = [];
    if (step.after_beginning !== null) {
      remarks.push("Token healing: the text before the cursor is generated again, so only tokens that match it can be drawn; after a word that the model considers complete, only tokens that do not continue it. The others are struck out.");
      if (step.own) remarks.push("The model foresees no token that matches, so the text is generated in its own tokens.");
      else if (step.forced) remarks.push("None of the remaining tokens matched, so the most likely token that does was used.");
    }
    if (step.ends) remarks.push("This token ends the text and is not shown.");
    if (!now.exact) remarks.push("Top P cuts off after the last logged candidate, so the last column is approximate: its error is at most that candidate's probability.");
    return h("p", { class: "note" }, remarks.join(" "));
  }
}

/* A slider with fixed stops. */
class Slider {
  constructor(name, stops, set, write, moved) {
    this.stops = stops;
    this.set = stops.indexOf(set);
    this.write = write;
    this.output = h("output", {});
    this.input = h("input", { type: "range", min: 0, max: stops.length - 1, step: 1, "aria-label": name, oninput: () => { this.label(); moved(stops[this.input.valueAsNumber]); } });
    const mark = h("i", { class: "mark", title: "value in effect", style: `left:calc(${(this.set / (stops.length - 1)) * 100}% + ${8 - (16 * this.set) / (stops.length - 1)}px)` });
    this.element = h("label", {}, h("span", {}, name, this.output), h("span", { class: "track" }, this.input, mark));
    this.restore();
  }

  restore() {
    this.input.value = this.set;
    this.label();
  }

  label() {
    this.output.textContent = this.write(this.stops[this.input.valueAsNumber]);
    this.input.setAttribute("aria-valuetext", this.output.textContent);
  }
}

function sorted(values) {
  return [...new Set(values)].sort((a, b) => a - b);
}

function value(column, values) {
  return ["", `${values.temperature}`, `${values.topK}`, `${values.topP}`][column];
}

function bar(share, gone) {
  if (gone) return h("span", { class: "bar gone" }, h("span", { class: "figure" }, "out"));
  return h("span", { class: "bar" }, h("i", { style: `width:${(share * 100).toFixed(2)}%` }), h("span", { class: "figure", style: share < 0.7 ? `left:${(share * 100).toFixed(2)}%` : "" }, percent(share)));
}
