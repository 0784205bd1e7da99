/* The sampler's arithmetic on the logged candidates of one step: what each parameter leaves.

   In: a step (its candidates best first, with the sums over the whole vocabulary) and parameters. Out:
   probabilities of the candidates after each parameter, and how many tokens are left. The same
   conventions as in aide_lsp/inference/sampler.py; a test compares the two. It knows no page. */

/* `scale`: the explanation's temperatures; `vocabulary`: the number of tokens; `setTopK`: the Top K that
   `log_mass_top_k` belongs to. Past the candidates Top K may be `setTopK` or `vocabulary` only. */
function distribution(step, scale, vocabulary, setTopK, { temperature, topK, topP }) {
  const logits = step.candidates.map((candidate) => candidate.logit);
  const raw = softmaxOfAll(logits, 1, step.log_mass[scale.indexOf(1)]);
  if (temperature === 0) {
    const best = logits.map((_, index) => (index === 0 ? 1 : 0));
    return { raw, scaled: best, cut: best, final: best, afterTopK: 1, afterTopP: 1, exact: true };
  }
  const at = scale.indexOf(temperature);
  const scaled = softmaxOfAll(logits, temperature, step.log_mass[at]);
  const { cut, left } = keepTopK(logits, scaled, topK, vocabulary, {
    topK: setTopK,
    left: step.after_top_k,
    // Relative to the sum over the whole vocabulary, which `scaled` was divided by.
    mass: step.log_mass_top_k && Math.exp(step.log_mass_top_k[at] - step.log_mass[at]),
  });
  return { raw, scaled, cut, afterTopK: left, ...keepTopP(cut, left, topP) };
}

function softmaxOfAll(logits, temperature, logMass) {
  return logits.map((logit) => Math.exp((logit - logits[0]) / temperature - logMass));
}

/* Keep every token whose logit reaches that of the k-th best. */
function keepTopK(logits, probs, topK, vocabulary, set) {
  if (topK >= vocabulary) return { cut: probs, left: vocabulary };
  if (topK > logits.length) return { cut: probs.map((p) => p / set.mass), left: set.left };
  const kept = probs.map((p, index) => (logits[index] >= logits[topK - 1] ? p : 0));
  const mass = total(kept);
  return { cut: kept.map((p) => p / mass), left: kept.filter((_, i) => logits[i] >= logits[topK - 1]).length };
}

/* Keep a token while the mass of those above it is below `topP`; one always stays. */
function keepTopP(probs, left, topP) {
  if (topP >= 1) return { final: probs, afterTopP: left, exact: true };
  const known = Math.min(left, probs.length);
  let count = 1;
  let above = probs[0];
  while (count < known && above < topP) above += probs[count++];
  // The cut lies behind the logged candidates: how many tokens there are up to it is not known here.
  const exact = count < known || above >= topP || known === left;
  const mass = exact ? above : topP;
  return {
    final: probs.map((p, index) => (index < count ? p / mass : 0)),
    afterTopP: exact ? count : null,
    exact,
  };
}

/* Leave only what goes on as the text has to; nothing changes where no such token is left. */
function keepFitting(probs, fits) {
  const mass = total(probs.map((p, index) => (fits[index] ? p : 0)));
  return mass > 0 ? probs.map((p, index) => (fits[index] ? p / mass : 0)) : probs;
}

/* In bits. */
function entropy(probs) {
  return Math.abs(total(probs.map((p) => (p > 0 ? -p * Math.log2(p) : 0))));
}

function total(values) {
  return values.reduce((sum, value) => sum + value, 0);
}
