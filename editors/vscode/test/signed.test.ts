import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOutdated, signed } from '../src/signed';

test('a message names Aide once', () => {
  assert.equal(signed('Aide is paused.'), 'Aide is paused.');
  assert.equal(signed('aide-lsp ended.'), 'aide-lsp ended.');
  assert.equal(signed('The seed 7 is pinned.'), 'Aide: The seed 7 is pinned.');
  assert.equal(signed('Aided by no one.'), 'Aide: Aided by no one.');
});

test('nothing is said of an answer that came to nothing because the user went on', () => {
  assert.deepEqual(['superseded', 'cancelled', 'stale', 'no-other', undefined].map(isOutdated), [true, true, true, false, false]);
});
