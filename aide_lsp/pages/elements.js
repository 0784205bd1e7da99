/* Creates elements and formats figures. Text always becomes text nodes, never markup. */

const SVG = "http" + "://www.w3.org/2000/svg"; // a name, not an address: nothing is loaded

function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") element.style.cssText = value;
    else if (value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

function section(title, note, ...children) {
  return h("section", {}, h("h2", {}, title), note ? h("p", { class: "note" }, note) : null, ...children);
}

/* A token's text with line ends, tabs and outer spaces made visible. */
function visible(text) {
  return text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll("\r", "␍").replace(/^ | $/g, "·");
}

function percent(share) {
  if (share === 0) return "0";
  if (share >= 0.9995) return "100 %";
  if (share >= 0.0995) return `${(share * 100).toFixed(0)} %`;
  return share >= 0.001 ? `${(share * 100).toFixed(1)} %` : "< 0.1 %";
}

function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function ms(value) {
  return value >= 100 ? `${value.toFixed(0)} ms` : `${value.toFixed(1)} ms`;
}
