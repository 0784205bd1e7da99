/* The sampler's arithmetic on the logged candidates of one step: what each parameter leaves.

   It follows the conventions of aide_lsp/inference/sampler.py; a test compares the two. Candidates are ordered
   best first. */

/* `scale`: the explanation's temperatures; `vocabulary`: the number of tokens. Beyond the candidates, Top K may
   only be the value that was set, which `log_mass_top_k` belongs to, or `vocabulary`. */
function distribution(step, scale, vocabulary, { temperature, topK, topP }) {
  const logits = step.candidates.map((candidate) => candidate.logit);
  const raw = softmaxOfAll(logits, 1, step.log_mass[scale.indexOf(1)]);
  if (temperature === 0) {
    const best = logits.map((_, index) => (index === 0 ? 1 : 0));
    return { raw, scaled: best, cut: best, final: best, afterTopK: 1, afterTopP: 1, exact: true };
  }
  const at = scale.indexOf(temperature);
  const scaled = softmaxOfAll(logits, temperature, step.log_mass[at]);
  // Relative to the best token, whose weight is 1, so that sums of equal weights have no rounding error.
  const weights = logits.map((logit) => Math.exp((logit - logits[0]) / temperature));
  const kept = keepTopK(weights, topK, vocabulary, {
    left: step.after_top_k,
    mass: Math.exp((topK >= vocabulary ? step.log_mass : step.log_mass_top_k || step.log_mass)[at]),
  });
  const cut = kept.weights.map((weight) => weight / kept.mass);
  return { raw, scaled, cut, afterTopK: kept.left, ...keepTopP(kept, topP) };
}

function softmaxOfAll(logits, temperature, logMass) {
  return logits.map((logit) => Math.exp((logit - logits[0]) / temperature - logMass));
}

/* Keep the `topK` best. `set`: how many tokens are left, and their mass, if not all are among the candidates. */
function keepTopK(weights, topK, vocabulary, set) {
  if (topK >= vocabulary) return { weights, left: vocabulary, mass: set.mass };
  if (topK > weights.length) return { weights, left: set.left, mass: set.mass };
  const kept = weights.map((weight, index) => (index < topK ? weight : 0));
  return { weights: kept, left: topK, mass: total(kept) };
}

/* Keep the fewest that together exceed the share `topP`. */
function keepTopP({ weights, left, mass }, topP) {
  if (topP >= 1) return { final: weights.map((weight) => weight / mass), afterTopP: left, exact: true };
  const known = Math.min(left, weights.length);
  let count = 1;
  let held = weights[0];
  while (count < known && held <= topP * mass) held += weights[count++];
  // Otherwise the cut is after the logged candidates, and the number of tokens before it is unknown.
  const exact = held > topP * mass || known === left;
  const share = exact ? held : topP * mass;
  return {
    final: weights.map((weight, index) => (index < count ? weight / share : 0)),
    afterTopP: exact ? count : null,
    exact,
  };
}

/* Keep only tokens that continue the healed text; if there is none, change nothing. */
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
