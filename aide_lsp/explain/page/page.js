/* Assembles the page. */

const explanation = PAGE_DATA;
const page = document.getElementById("page");

function build() {
  const text = source(explanation, choose);
  if (!explanation.tokens.length) {
    page.replaceChildren(header(explanation), text.element, prompt(explanation), otherFiles(explanation.prompt), ending(explanation), times(explanation));
    return;
  }
  const row = strip(explanation, choose);
  const panel = new StepPanel(explanation);

  function choose(index) {
    for (const elements of [text.tokens, row.columns]) {
      elements.forEach((element, at) => select(element, at === index));
    }
    panel.show(index);
  }

  document.addEventListener("keydown", (event) => {
    if (event.target instanceof HTMLInputElement || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const next = panel.index + (event.key === "ArrowRight" ? 1 : -1);
    if (next < 0 || next >= explanation.tokens.length) return;
    choose(next);
    // Where the focus is on a token, it goes along.
    [text.tokens, row.columns].find((elements) => elements.includes(document.activeElement))?.[next].focus();
  });
  page.replaceChildren(header(explanation), text.element, panel.element, row.element, h("div", { class: "pair" }, h("div", {}, prompt(explanation), otherFiles(explanation.prompt)), h("div", {}, ending(explanation), times(explanation))));
  choose(mostUncertain(explanation.tokens));
}

/* The Tab key stops once among the tokens, at the selected one; the arrow keys lead to the others. */
function select(element, isSelected) {
  element.classList.toggle("selected", isSelected);
  element.setAttribute("aria-current", isSelected);
  element.tabIndex = isSelected ? 0 : -1;
}

/* The shown token with the highest entropy: the most interesting one to start with. */
function mostUncertain(tokens) {
  const entropyOf = (token) => (isDropped(token) ? -1 : token.step.entropy);
  return tokens.reduce((best, token, index) => (entropyOf(token) > entropyOf(tokens[best]) ? index : best), 0);
}

build();
