import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { actions, links, LINKED } from '../src/actions';
import type { AideStatus, DocumentState } from '../src/protocol';
import type { Active, Phase, Situation } from '../src/statusText';

const PARAMETERS = { temperature: 0.7, topK: 50, topP: 0.95, numContext: 1024, seed: null };
const ACTIVE: Active = { uri: 'file:///a.py', language: 'Python', unserved: null };
const DOCUMENT: DocumentState = { uri: ACTIVE.uri, parameters: PARAMETERS, preset: 'code', off: null, offScope: null, offPath: null, problems: [] };
const SHOWN = { uri: ACTIVE.uri, seed: 42, candidate: 0, parameters: PARAMETERS, pinned: false, files: [] };
const READY: AideStatus = {
  state: 'ready',
  busy: false,
  message: null,
  percent: null,
  model: 'some-model',
  device: 'CPU',
  recipe: 'exact',
  shares: null,
  server: null,
  shown: SHOWN,
  nothing: null,
  document: DOCUMENT,
};
const situation = (status: Partial<AideStatus>, active: Active | null = ACTIVE): Situation => ({
  phase: 'running',
  detail: null,
  status: { ...READY, ...status },
  active,
});
const off = (offScope: DocumentState['offScope']): Partial<AideStatus> => ({
  document: { ...DOCUMENT, off: 'It is off.', offScope, offPath: '/b/.aide.toml' },
});
const texts = (status: Partial<AideStatus>, active: Active | null = ACTIVE, canGoBack = false): string[] =>
  actions(situation(status, active), canGoBack).map(({ text }) => text);
const without = (phase: Phase): string[] => actions({ phase, detail: null, status: null, active: ACTIVE }, false).map(({ text }) => text);

test('what is visible can be pinned, explained, and replaced', () => {
  const seen = texts({});
  for (const text of ['Next Candidate', 'Regenerate with New Seed', 'Pin This Seed', 'Explain This Completion']) {
    assert.ok(seen.includes(text), text);
  }
  for (const text of ['Previous Candidate', 'Previous Seed', 'Unpin Seed', 'Resume', 'Download the Model', 'Complete at the Cursor']) {
    assert.ok(!seen.includes(text), text);
  }
  assert.ok(texts({ shown: { ...SHOWN, candidate: 1 } }).includes('Previous Candidate'));
  assert.ok(texts({}, ACTIVE, true).includes('Previous Seed'));
});

test('what failed can be tried again, from the menu and from the tooltip', () => {
  assert.ok(texts({ state: 'failed' }).includes('Try Again'));
  assert.ok(!texts({}).includes('Try Again'));
  const words = (state: AideStatus['state']) => links(situation({ state })).flat().map(({ text }) => text);
  assert.ok(words('failed').includes('Try Again'));
  assert.ok(!words('failed').includes('Download the Model'));
  assert.ok(!words('missing').includes('Try Again'));
});

test('with a server there is no model to select, but what runs the model', () => {
  const server = { host: '127.0.0.1:8012', loopback: true, engine: 'llama.cpp', ignored: [], replays: false, problem: null };
  const seen = actions(situation({ server }), false);
  assert.ok(!seen.some(({ text }) => text === 'Select Model'));
  assert.equal(seen.find(({ text }) => text === 'Choose What Runs the Model')?.current, '127.0.0.1:8012');
  assert.ok(texts({}).includes('Select Model'));
});

test('a pinned seed can be unpinned, and not pinned again', () => {
  const seen = texts({ shown: { ...SHOWN, pinned: true }, document: { ...DOCUMENT, parameters: { ...PARAMETERS, seed: 42 } } });
  assert.ok(seen.includes('Unpin Seed'));
  assert.ok(!seen.includes('Pin This Seed'));
});

test('where nothing is visible, only what can be done there is offered', () => {
  const seen = texts({ shown: null });
  assert.ok(seen.includes('Complete at the Cursor'));
  assert.ok(!seen.includes('Explain This Completion'));
  const elsewhere = texts({}, { ...ACTIVE, uri: 'file:///b.py' });
  assert.ok(!elsewhere.includes('Pin This Seed'));
  const unserved = texts({}, { ...ACTIVE, unserved: 'It is read-only.' });
  assert.ok(!unserved.some((text) => /Complet|Turn Off/.test(text)));
});

test('a paused Aide is resumed, and off is turned on', () => {
  const paused = texts({ state: 'paused' });
  assert.ok(paused.includes('Resume'));
  assert.ok(!paused.includes('Pause') && !paused.includes('Snooze for 5 Minutes'));
  assert.ok(!texts(off('file')).includes('Compare Completions'));
});

test('a file that is never sent to a server cannot be turned on, only completed by something else', () => {
  const server = { host: 'llm.example.com', loopback: false, engine: 'openai', ignored: [], replays: false, problem: null };
  const seen = texts({ ...off('engine'), server });
  assert.ok(seen.includes('Choose What Runs the Model'));
  assert.ok(!seen.some((text) => /^Turn|That Turns It Off/.test(text)));
});

test('where completions are off, only what turns them on again is offered', () => {
  const offered = (status: Partial<AideStatus>): (string | unknown[] | undefined)[][] =>
    actions(situation(status), false)
      .filter(({ icon }) => icon === 'circle-slash')
      .map(({ text, command, args }) => [text, command, args]);
  assert.deepEqual(offered({}).map(([text]) => text), ['Turn Off for Python', 'Turn Off for This File']);
  assert.deepEqual(offered(off('file')), [['Turn On for This File', 'aide.editor.offFile', undefined]]);
  assert.deepEqual(offered(off('language')), [['Turn On for Python', 'aide.editor.offLanguage', undefined]]);
  const settings = 'workbench.action.openSettings';
  assert.deepEqual(offered(off('secret')), [['Turn On for Files with Secrets…', settings, ['aide.completeSecrets']]]);
  assert.deepEqual(offered(off('editor')), [['Open the Setting That Turns It Off', settings, ['aide.off']]]);
  for (const scope of ['user', 'project'] as const) {
    assert.deepEqual(offered(off(scope)), [['Open the File That Turns It Off', 'aide.editor.openFile', ['/b/.aide.toml']]]);
    assert.ok(links(situation(off(scope))).flat().some(({ command }) => command === 'aide.editor.openFile'));
  }
});

test('without a server, only what helps is offered', () => {
  assert.deepEqual(without('absent'), ['Install', 'Open Settings', 'Show Log', 'Get Started']);
  assert.deepEqual(without('failed'), ['Restart Server', 'Open Settings', 'Show Log', 'Get Started']);
  assert.ok(!without('installing').includes('Restart Server'));
  assert.ok(texts({ state: 'missing' }).includes('Download the Model'));
});

test('the current values are next to what changes them', () => {
  const current = Object.fromEntries(actions(situation({}), false).map(({ text, current }) => [text, current]));
  assert.equal(current['Choose Preset'], 'code');
  assert.equal(current['Select Model'], 'some-model');
  assert.equal(current['Pin This Seed'], 'seed 42');
});

test('entries of a group follow each other', () => {
  const groups = actions(situation({}), true).map(({ group }) => group);
  assert.deepEqual([...new Set(groups)], groups.filter((group, index) => group !== groups[index - 1]));
});

test('the links are those of what can be done now', () => {
  const words = (status: Partial<AideStatus>) => links(situation(status)).map((row) => row.map(({ text }) => text));
  assert.deepEqual(words({}), [
    ['Settings', 'Effective Settings', 'Log'],
    ['Pause', 'Snooze 5 min', 'Off for Python', 'Off for This File'],
  ]);
  assert.deepEqual(words({ state: 'paused' })[1]?.[0], 'Resume');
  assert.deepEqual(words({ state: 'missing' }), [['Settings', 'Effective Settings', 'Log'], ['Download the Model']]);
  assert.deepEqual(links({ phase: 'absent', detail: null, status: null, active: null }).at(-1)?.[0]?.text, 'Install');
});

test('the tooltip is trusted to run its links, and every command is contributed or registered', () => {
  const states: AideStatus['state'][] = ['starting', 'loading', 'missing', 'ready', 'failed', 'paused'];
  const all = states.flatMap((state) => links(situation({ state })).flat());
  assert.ok(all.length > 10);
  assert.deepEqual(all.map(({ command }) => command).filter((command) => !LINKED.includes(command)), []);
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { contributes: { commands: { command: string }[] } };
  const contributed = manifest.contributes.commands.map(({ command }) => command);
  const used = states.flatMap((state) => actions(situation({ state }), true)).map(({ command }) => command);
  assert.deepEqual(used.filter((command) => command.startsWith('aide.') && !contributed.includes(command)), []);
});
