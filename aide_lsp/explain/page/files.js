/* Other files: what is in the prompt of them, what did not fit, and which were not searched. */

const PART_NAMES = {
  project: "the project's name",
  path: "a file's name",
  excerpt: "lines of another file",
  header: "the file's name",
  prefix: "text before the cursor",
  suffix: "text after the cursor",
};

/* What a part of the prompt is; of an excerpt, where it is from. */
function partName(part) {
  if (part.kind === "excerpt") return linesOf(part);
  return part.kind === "path" ? `${PART_NAMES.path}: ${part.text.trim()}` : PART_NAMES[part.kind] ?? part.text;
}

function linesOf(excerpt) {
  return `${excerpt.path}:${excerpt.first_line}-${excerpt.last_line}`;
}

function otherFiles({ parts, other_files: files, num_context }) {
  const read = parts.filter((part) => part.kind === "excerpt");
  const rows = [...read.map((part) => excerptRow(part, part.tokens.toLocaleString("en"))), ...files.unread.map((excerpt) => excerptRow(excerpt, "did not fit"))];
  const allowed = Math.floor(num_context * files.context_share).toLocaleString("en");
  const used = read.length ? ` With their names they take ${files.tokens.toLocaleString("en")} tokens of ${allowed}, the Context Share of ${files.context_share}.` : "";
  const head = h("tr", {}, ...["Lines", "Tokens", "Score"].map((name) => h("th", { scope: "col" }, name)));
  return section(
    "Other files",
    `${files.says}${used}`,
    rows.length ? h("table", { class: "plain excerpts" }, h("thead", {}, head), h("tbody", {}, ...rows)) : null,
    rows.length ? h("p", { class: "note" }, "Lines score higher the more rare words they share with those around the cursor.") : null,
    fileList("Searched", files.searched.length, [["", files.searched]]),
    fileList("Left out", files.left_out.length, byReason(files.left_out)),
  );
}

function excerptRow(excerpt, tokens) {
  return h("tr", { class: "tokens" in excerpt ? "" : "unread" }, h("th", { scope: "row" }, h("code", {}, linesOf(excerpt))), h("td", {}, tokens), h("td", {}, excerpt.score.toFixed(2)));
}

/* Pairs of a reason, as a heading, and the files that were left out for it. */
function byReason(files) {
  const reasons = [...new Set(files.map((file) => file.reason))];
  return reasons.map((reason) => [`${reason[0].toUpperCase()}${reason.slice(1)}:`, files.filter((file) => file.reason === reason).map((file) => file.path)]);
}

function fileList(title, number, groups) {
  if (!number) return null;
  const lists = groups.flatMap(([reason, paths]) => [reason ? h("p", { class: "note" }, reason) : null, h("ul", { class: "files" }, ...paths.map((path) => h("li", {}, h("code", {}, path))))]);
  return h("details", {}, h("summary", {}, `${title}: ${count(number, "file")}`), ...lists.filter(Boolean));
}
