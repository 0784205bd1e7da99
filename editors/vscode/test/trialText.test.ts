import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Troubleshooting } from '../src/protocol';
import { changesText, reasonsText } from '../src/trialText';

const BEFORE = { parameters: { temperature: 0.7, topP: 0.95, seed: 7 }, text: 'return 1' };
const AFTER = { parameters: { temperature: 0.5, topP: 0.8, seed: 7 }, text: 'return 2' };
const TRIAL: Troubleshooting = {
  changes: { temperature: 0.5, topP: 0.8 },
  reasons: ['Lower Temperature.', 'Lower Top P.'],
  bounds: [],
  before: BEFORE,
  after: AFTER,
};

test('the title says what changes', () => {
  assert.equal(changesText(TRIAL), 'Temperature 0.7 → 0.5, Top P 0.95 → 0.8');
});

test('a message gives the reasons, and says where nothing differs', () => {
  assert.equal(reasonsText(TRIAL), 'Lower Temperature. Lower Top P.');
  assert.match(reasonsText({ ...TRIAL, after: BEFORE }), /the completion stays the same\.$/);
  assert.match(reasonsText({ ...TRIAL, changes: {}, reasons: [], bounds: ['At its end.'] }), /^No parameter is left to change\. At its end\.$/);
});

test('a completion that is missing has its reason', () => {
  assert.match(reasonsText({ ...TRIAL, after: { ...AFTER, text: '', message: 'Not confident.' } }), /After: Not confident\.$/);
  const missing = { ...AFTER, text: '', message: 'Not confident.' };
  assert.match(reasonsText({ ...TRIAL, before: missing, after: missing }), /Before: Not confident\. After: Not confident\.$/);
  const declined = { changes: { topK: 5 }, reasons: ['Lower Top K.'], bounds: [], reason: 'off', message: 'Off here.' };
  assert.equal(reasonsText(declined), 'Lower Top K. No completion to compare: Off here.');
});
