/* The chart of one token: probabilities by rank on a logarithmic scale, their cumulative sum, and where Top K and
   Top P cut off. */

const CHART_HEIGHT = 224;
const DEFAULT_WIDTH = 960;

/* The drawing is as wide as its place: scaled text would be too small to read in a narrow column. */
function cutChart(step, now, values) {
  const figure = h("figure", {});
  const caption = h("figcaption", { class: "note" }, "Bars: probability after temperature, on a logarithmic scale. Line: cumulative probability of the tokens left by Top K; Top P cuts off where it crosses the dashed line.");
  const draw = (width) => figure.replaceChildren(chart(step, now, values, width), caption);
  let drawn = DEFAULT_WIDTH;
  draw(drawn);
  new ResizeObserver(([{ contentRect }]) => {
    const width = Math.round(contentRect.width);
    if (width > 0 && width !== drawn) draw((drawn = width));
  }).observe(figure);
  return figure;
}

function chart(step, now, values, width) {
  const [height, left, right, top, bottom] = [CHART_HEIGHT, 62, 46, 40, 24];
  const n = step.candidates.length;
  const lowest = 1e-6;
  const x = (rank) => left + ((width - left - right) * rank) / n;
  const y = (share) => top + (height - top - bottom) * (Math.log10(Math.max(share, lowest)) / Math.log10(lowest));
  const sum = (share) => height - bottom - (height - top - bottom) * share;
  const parts = [];
  for (const power of [0, -2, -4, -6]) {
    const at = y(10 ** power);
    parts.push(svg("line", { class: "grid", x1: left, x2: width - right, y1: at, y2: at }));
    parts.push(svg("text", { class: "axis", x: left - 6, y: at + 4, "text-anchor": "end" }, ["100 %", "1 %", "0.01 %", "0.0001 %"][-power / 2]));
  }
  const afterP = now.afterTopP ?? n;
  now.scaled.forEach((share, index) => {
    const kind = index >= now.afterTopK ? "out-k" : index >= afterP ? "out-p" : "kept";
    const from = y(share);
    const chosen = step.candidates[index].token === step.token;
    const gap = x(1) - x(0) > 5 ? 1 : 0.5;
    const mark = svg("rect", { class: chosen ? `${kind} chosen` : kind, x: x(index) + gap, width: Math.max(1, x(1) - x(0) - 2 * gap), y: Math.min(from, height - bottom - 1), height: Math.max(1, height - bottom - from) });
    mark.append(svg("title", {}, `${index + 1}. ${visible(step.candidates[index].text)}  ${percent(share)} after temperature`));
    parts.push(mark);
  });
  let reached = 0;
  const line = now.cut.map((share, index) => `${x(index + 0.5).toFixed(1)},${sum((reached = Math.min(1, reached + share))).toFixed(1)}`);
  parts.push(svg("polyline", { class: "sum", points: line.join(" ") }));
  parts.push(svg("line", { class: "level", x1: left, x2: width - right, y1: sum(values.topP), y2: sum(values.topP) }));
  parts.push(svg("text", { class: "axis", x: width - right + 6, y: sum(values.topP) + 4 }, `${+(values.topP * 100).toFixed(1)} %`));
  parts.push(...cutMarks(now, afterP, n, x, top, height - bottom));
  parts.push(svg("text", { class: "axis", x: left, y: height - 6 }, "1st candidate"));
  parts.push(svg("text", { class: "axis", x: width - right, y: height - 6, "text-anchor": "end" }, `${n}th`));
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Probabilities of the candidates, and where Top K and Top P cut off" }, ...parts);
}

/* Where Top K and Top P cut off. Labels that are close together are stacked. */
function cutMarks(now, afterP, n, x, top, bottom) {
  const leftK = `Top K: ${now.afterTopK.toLocaleString("en")} left`;
  if (now.afterTopK === afterP) {
    return cutMark(x, afterP, n, `${leftK}, Top P: all of them`, top, bottom, true);
  }
  const near = x(Math.min(n, now.afterTopK)) - x(Math.min(n, afterP)) < 240;
  const leftP = `Top P: ${now.afterTopP ?? `more than ${n}`} left`;
  return [
    ...cutMark(x, afterP, n, leftP, near ? top - 16 : top, bottom, false),
    ...cutMark(x, now.afterTopK, n, leftK, top, bottom, true),
  ];
}

function cutMark(x, rank, n, text, top, bottom, isEnd) {
  if (rank > n) return [svg("text", { class: "cut-label", x: x(n), y: top - 10, "text-anchor": "end" }, text)];
  // Toward the side with more room.
  const right = (isEnd && rank > n / 3) || rank > n * 0.6;
  return [
    svg("line", { class: "cut-line", x1: x(rank), x2: x(rank), y1: top - 18, y2: bottom }),
    svg("text", { class: "cut-label", x: x(rank) + (right ? -6 : 6), y: top - 10, "text-anchor": right ? "end" : "start" }, text),
  ];
}
