/* The difference of two texts, token by token. */

function tokens(text) {
  return text.match(/\w+|[^\S\n]+|\n|[^\w\s]/g) ?? [];
}

/* How to get from `a` to `b`: parts that are `same`, `added`, or `gone`, by their longest common subsequence. */
function differences(a, b) {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i][j] = a[i] === b[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  const parts = [];
  const add = (kind, text) => {
    const last = parts.at(-1);
    if (last?.kind === kind) last.text += text;
    else parts.push({ kind, text });
  };
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      add("same", b[j++]);
      i++;
    } else if (j < b.length && (i === a.length || lengths[i][j + 1] >= lengths[i + 1][j])) {
      add("added", b[j++]);
    } else {
      add("gone", a[i++]);
    }
  }
  return parts;
}
