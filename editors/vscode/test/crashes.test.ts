import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Crashes } from '../src/crashes';

test('a fifth crash within three minutes is one too many', () => {
  const crashes = new Crashes();
  const started = [0, 1000, 2000, 3000].map((time) => crashes.another(time));
  assert.deepEqual(started, [true, true, true, true]);
  assert.equal(crashes.another(4000), false);
});

test('crashes long ago do not count', () => {
  const crashes = new Crashes();
  for (let minutes = 0; minutes < 100; minutes += 1) {
    assert.equal(crashes.another(minutes * 60_000), true);
  }
});
