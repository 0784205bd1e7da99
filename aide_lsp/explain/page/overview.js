/* The overview: the text, its tokens, the prompt, the end, the time. */

const CONTEXT_LINES = { above: 8, below: 5 };
function header(explanation) {
  const { completion, model, device, host, ignored, replays, path, line, column } = explanation;
  const named = Object.entries(completion.parameters).map(([key, value]) => [label(key), ignored.includes(key) ? `${value} (no effect)` : value]);
  const promise = replays ? "" : " The same seed may give another completion there.";
  const name = path.split(/[\\/]/).pop();
  return h(
    "header",
    {},
    h("h1", {}, "Why this completion?"),
    h("p", { class: "note place", title: path }, h("code", {}, `${name}:${line}:${column}`), ` ${model}, ${device}`),
    h("ul", { class: "parameters" }, ...named.map(([key, value]) => h("li", {}, h("span", {}, key), `${value}`))),
    host ? h("p", { class: "note" }, `Text was sent to ${host}.${promise}`) : null,
  );
}

/* A parameter's name as the documentation writes it: top_k -> Top K. */
function label(key) {
  return key.split("_").map((word) => word[0].toUpperCase() + word.slice(1)).join(" ");
}

/* The text around the cursor with the tokens in it. `choose` is called with a token's index. */
function source(explanation, choose) {
  const text = (kind) => explanation.prompt.parts.find((part) => part.kind === kind)?.text ?? "";
  const above = text("prefix").split("\n").slice(-CONTEXT_LINES.above).join("\n").replace(/^(?:[ \t]*\n)+(?=.*\S)/, "");
  const below = text("suffix").split("\n").slice(0, CONTEXT_LINES.below).join("\n");
  const tokens = explanation.tokens.map((token, index) => tokenElement(token, index, choose));
  if (explanation.why_no_tokens) return { tokens: [], element: textOnly(explanation, above, below) };
  const added = explanation.end.added ? h("span", { class: "added" }, explanation.end.added) : null;
  const dropped = explanation.tokens.some((token) => token.pieces.some((piece) => piece.kind === "dropped"));
  // Dropped text may be long, so it is shown below the source, not in it.
  const kept = tokens.filter((_, index) => !isDropped(explanation.tokens[index]));
  const rest = tokens.filter((_, index) => isDropped(explanation.tokens[index]));
  return {
    tokens,
    element: h(
      "section",
      { class: "source" },
      h("pre", {}, h("span", { class: "around" }, above), ...kept, added, h("span", { class: "around" }, below)),
      rest.length ? h("p", { class: "dropped-line" }, h("span", { class: "note" }, dropped ? "Generated, but not shown: " : "Ended with: "), ...rest) : null,
      h("p", { class: "note legend" }, h("span", { class: "swatch", style: "--doubt:0" }, "certain"), h("span", { class: "swatch", style: "--doubt:.5" }), h("span", { class: "swatch", style: "--doubt:1" }, "unlikely"), " according to the model. ", ...(explanation.typed ? [h("span", { class: "typed" }, "Bold"), ": what you have typed since. "] : []), "Click a token, or use ← and →."),
    ),
  };
}

/* The text around the cursor with the completion in it, where a server reports no tokens. */
function textOnly(explanation, above, below) {
  const { completion, typed, why_no_tokens } = explanation;
  const { given_back, closers } = explanation.prompt;
  const inserted = h("span", { class: "inserted" }, ...typedAndRest(completion.text, typed));
  const after = closers.slice(completion.replaces) + below;
  return h(
    "section",
    { class: "source" },
    h("pre", {}, h("span", { class: "around" }, above + given_back), inserted, h("span", { class: "around" }, after)),
    h("p", { class: "note" }, why_no_tokens),
  );
}

function isDropped(token) {
  return token.pieces.every((piece) => piece.kind === "dropped");
}

function tokenElement(token, index, choose) {
  const { step, pieces } = token;
  const shown = (piece) => (piece.kind === "dropped" ? [visible(piece.text)] : lines(piece.text));
  const inner = pieces.map((piece) => h("span", { class: piece.kind }, ...shown(piece)));
  const keyed = (event) => ["Enter", " "].includes(event.key) && (event.preventDefault(), choose(index));
  return h(
    "span", // not a button, which would not wrap with the text
    { class: "token", role: "button", style: `--doubt:${(1 - step.raw_probability).toFixed(3)}`, title: `${percent(step.raw_probability)} by the model`, onclick: () => choose(index), onkeydown: keyed },
    ...(pieces.length ? inner : [h("span", { class: "control" }, visible(step.text))]),
  );
}

/* Text with a mark before each line end. */
function lines(text) {
  return text.split("\n").flatMap((line, index) => (index ? [h("i", { class: "line-end" }, "⏎"), "\n", line] : [line]));
}

/* One column per token: how likely it was. */
function strip(explanation, choose) {
  const columns = explanation.tokens.map(({ step }, index) =>
    h(
      "button",
      { type: "button", class: "column", title: `${visible(step.text)}  ${percent(step.probability)} when drawn, ${percent(step.raw_probability)} by the model`, onclick: () => choose(index) },
      h("span", { class: "well" }, h("i", { class: "drawn", style: `height:${step.probability * 100}%` }), h("i", { class: "raw", style: `height:${step.raw_probability * 100}%` })),
      h("code", {}, visible(step.text)),
    ),
  );
  return { columns, element: section("Token by token", "Filled: probability by the model. Outlined: probability when drawn, after all parameters.", h("div", { class: "strip" }, ...columns)) };
}

function prompt(explanation) {
  const { parts, tokens, format, num_context, cut_above, cut_below, given_back, closers, cached_tokens } = explanation.prompt;
  const pieces = parts.map((part) => h("i", { class: part.kind, style: `flex:${part.tokens} 1 0`, title: `${partName(part)}: ${count(part.tokens, "token")}` }));
  const rows = parts.map((part) =>
    h("tr", {}, h("th", { scope: "row" }, h("i", { class: `key ${part.kind}` }), part.kind === "control" ? h("code", {}, part.text) : partName(part)), h("td", {}, count(part.tokens, "token")), h("td", {}, part.kind === "control" ? "" : `${count(part.text.length, "character")}, ${count(part.text.split("\n").length - (part.text.endsWith("\n") || !part.text ? 1 : 0), "line")}`)),
  );
  const cut = (side, what) => `${what.characters ? `${count(what.characters, "character")} (${count(what.lines, "line")})` : "nothing"} ${side}`;
  return section(
    "The prompt",
    `${count(tokens, "token")} in the format ${format}, of which ${cached_tokens.toLocaleString("en")} were cached. Num Context allows ${num_context.toLocaleString("en")} tokens of text.`,
    h("div", { class: "stack" }, ...pieces),
    h("table", { class: "plain" }, h("tbody", {}, ...rows)),
    h("p", {}, `Cut off: ${cut("above", cut_above)}, ${cut("below", cut_below)}.`),
    given_back ? h("p", {}, "Token healing: ", h("code", {}, visible(given_back)), " is left out of the prompt and generated again, in complete tokens.") : null,
    closers ? h("p", {}, "Closers: ", h("code", {}, visible(closers)), " is left out of the prompt; the model writes it itself.") : null,
    h("details", {}, h("summary", {}, "Show the prompt"), h("pre", { class: "prompt" }, ...parts.map((part) => h("span", { class: part.kind }, part.text)))),
  );
}

/* A completion with its beginning marked that the user has typed since. */
function typedAndRest(completion, typed) {
  const text = completion.replaceAll(/\r\n?/g, "\n");
  return [typed ? h("span", { class: "typed" }, ...lines(text.slice(0, typed.length))) : null, ...lines(text.slice(typed.length))];
}

function ending({ end, rejected, completion, typed }) {
  const rows = [
    ["Ended by", [end.rule ? h("code", {}, end.rule) : end.finish_reason, ` ${end.says}`]],
    ["Not kept", end.dropped ? [h("code", {}, visible(end.dropped))] : ["nothing"]],
    ["Clean-up", [end.clean_up]],
    ["Checks", [end.check]],
    ...rejected.map((one) => [`Candidate ${one.candidate}`, [`Not shown. ${one.says}`]]),
    ["Offered", completion.text ? [h("code", { class: "offered" }, ...typedAndRest(completion.text, typed))] : ["nothing"]],
  ];
  return section("How it ended", "", h("dl", { class: "ending" }, ...rows.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, ...text)))));
}

function times({ stages, tokens }) {
  const sum = total(stages.map((stage) => stage.ms));
  const later = tokens.slice(1).map((token) => token.step.ms);
  const mean = later.length ? `${ms(total(later) / later.length)} for each token after the first. ` : "";
  return section(
    "Where the time went",
    `${ms(sum)} in total. ${mean}Time spent on the explanation itself is excluded.`,
    h("table", { class: "plain times" }, h("tbody", {}, ...stages.map((stage) => h("tr", {}, h("th", { scope: "row" }, stage.name), h("td", {}, ms(stage.ms)), h("td", {}, h("i", { style: `width:${((stage.ms / sum) * 100).toFixed(2)}%` })))))),
  );
}
