import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AideStatus } from '../src/protocol';
import { escapeMarkdown, statusText } from '../src/statusText';

const READY: AideStatus = {
  state: 'ready',
  busy: false,
  message: null,
  percent: null,
  model: 'some-model',
  device: 'CPU',
  recipe: 'exact',
  shown: null,
  nothing: null,
};
const text = (status: Partial<AideStatus>) => statusText('running', { ...READY, ...status }, null);

test('model and device stand in the bar; the seed once something was shown', () => {
  assert.equal(text({}).text, '$(sparkle) some-model · CPU');
  const shown = { uri: 'file:///a.py', seed: 42, candidate: 0, pinned: false };
  assert.equal(text({ shown }).text, '$(sparkle) some-model · CPU · seed 42');
  assert.equal(text({ shown: { ...shown, pinned: true } }).text, '$(sparkle) some-model · CPU · $(pinned) seed 42');
});

test('loading shows the percentage if it is known', () => {
  assert.equal(text({ state: 'loading', percent: 42 }).text, '$(loading~spin) Aide: loading 42 %');
  assert.equal(text({ state: 'loading' }).text, '$(loading~spin) Aide: loading');
});

test('thinking keeps the width of the text', () => {
  assert.equal(text({ busy: true }).text, '$(loading~spin) some-model · CPU');
  assert.match(text({ busy: true }).tooltip.join('\n'), /thinking/);
});

test('the tooltip says why the last request showed nothing', () => {
  const nothing = { reason: 'off', message: 'This file is off.' };
  assert.deepEqual(text({ nothing }).tooltip.at(-1), 'No completion: This file is off.');
});

test('a model that failed to load and a server that is no longer restarted are errors with their reason', () => {
  const failed = text({ state: 'failed', message: 'The disk is full.' });
  assert.ok(failed.isError);
  assert.ok(failed.tooltip.includes('The disk is full.'));
  const gone = statusText('failed', null, 'It crashed.');
  assert.ok(gone.isError);
  assert.ok(gone.tooltip.includes('It crashed.'));
});

test('a server that has sent no state yet is starting', () => {
  assert.match(statusText('running', null, null).text, /starting/);
});

test('what Markdown would interpret is escaped', () => {
  assert.equal(escapeMarkdown('set complete_secrets = *true* <b>'), 'set complete\\_secrets = \\*true\\* \\<b\\>');
});
