import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AideStatus, DocumentState, ModelServer } from '../src/protocol';
import { statusText, type Active, type Phase, type Situation } from '../src/statusText';
import { escapeMarkdown, tooltip } from '../src/statusTooltip';

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
  shown: null,
  nothing: null,
  document: null,
};
const PARAMETERS = { temperature: 0.7, topK: 50, topP: 0.95, numContext: 1024, seed: null };
const ACTIVE: Active = { uri: 'file:///a.py', language: 'Python', unserved: null };
const DOCUMENT: DocumentState = { uri: ACTIVE.uri, parameters: PARAMETERS, preset: null, off: null, offScope: null, offPath: null, problems: [] };
const SERVER: ModelServer = { host: 'llm.example.com', loopback: false, engine: 'openai', ignored: ['topK'], replays: false, problem: null };
const SHOWN = { uri: ACTIVE.uri, seed: 42, candidate: 0, parameters: PARAMETERS, pinned: false, files: [] };

const situation = (status: Partial<AideStatus>, active: Active | null = ACTIVE): Situation => ({
  phase: 'running',
  detail: null,
  status: { ...READY, ...status },
  active,
});
const text = (status: Partial<AideStatus>, active: Active | null = ACTIVE) => statusText(situation(status, active));
const without = (phase: Phase, detail: string | null = null) => statusText({ phase, detail, status: null, active: ACTIVE });

test('an engine that is shared, or not, is in the tooltip', () => {
  const sentence = 'One process runs the model for all your editors. This one joined it.';
  assert.ok(text({ shares: sentence }).sentences.includes(sentence));
  assert.ok(!text({}).sentences.includes(''));
});

test('each state has an icon of its own kind', () => {
  assert.equal(text({}).icon, 'sparkle');
  assert.equal(text({ busy: true }).icon, 'ellipsis'); // it stands still: typing animates nothing
  assert.equal(text({ state: 'loading' }).icon, 'loading~spin');
  assert.equal(text({ state: 'missing' }).icon, 'cloud-download');
  assert.equal(text({ state: 'paused' }).icon, 'debug-pause');
  assert.equal(text({ state: 'failed' }).icon, 'error');
  assert.equal(text({ shown: { ...SHOWN, pinned: true } }).icon, 'pinned');
  assert.equal(text({ document: { ...DOCUMENT, off: 'Off for this file.' } }).icon, 'circle-slash');
  assert.equal(text({ document: { ...DOCUMENT, problems: ['a: b.'] } }).icon, 'warning');
  assert.equal(text({}, { ...ACTIVE, unserved: 'It is read-only.' }).icon, 'circle-slash');
});

test('the seed and the candidate are those of what is visible in the active document', () => {
  assert.ok(text({ shown: SHOWN }).sentences.includes('Shown: seed 42'));
  assert.ok(text({ shown: { ...SHOWN, candidate: 1, pinned: true } }).sentences.includes('Shown: seed 42, candidate 2, pinned'));
  const other = text({ shown: { ...SHOWN, uri: 'file:///b.py', pinned: true } });
  assert.ok(!other.sentences.join().includes('Shown'));
  assert.equal(other.icon, 'sparkle');
});

test('other files that were read are named with their lines, if there are any', () => {
  const files = [
    { path: 'src/models.py', lines: '13-24, 37-48' },
    { path: 'src/shop_(old).py', lines: '1-12' },
  ];
  const { sentences, state } = text({ shown: { ...SHOWN, files } });
  assert.ok(sentences.includes('Also read: src/models.py 13-24, 37-48; src/shop_(old).py 1-12'));
  assert.ok(tooltip({ ...text({ shown: { ...SHOWN, files } }), state }, []).includes('src/shop\\_\\(old\\)\\.py 1\\-12'));
  assert.ok(!text({ shown: SHOWN }).sentences.join().includes('Also read'));
  assert.ok(!text({ shown: { ...SHOWN, uri: 'file:///b.py', files } }).sentences.join().includes('Also read'));
});

test('the parameters and the preset are those in effect for the active document', () => {
  const { parameters, sentences } = text({ document: { ...DOCUMENT, preset: 'code' } });
  assert.deepEqual(parameters.map((pair) => pair.join(' ')), [
    'Temperature 0.7',
    'Top K 50',
    'Top P 0.95',
    'Num Context 1024',
    'Seed random',
  ]);
  assert.ok(sentences.includes('Preset: code'));
  assert.deepEqual(text({ document: { ...DOCUMENT, uri: 'file:///b.py' } }).parameters, []);
});

test('the reason for no completion is that of the active document', () => {
  const nothing = { uri: ACTIVE.uri, reason: 'long-line', message: 'The line is long.' };
  assert.equal(text({ nothing }).sentences.at(-1), 'No completion: The line is long.');
  assert.ok(!text({ nothing: { ...nothing, uri: 'file:///b.py' } }).sentences.join().includes('No completion'));
  assert.equal(text({ document: { ...DOCUMENT, off: 'It is off.' }, nothing }).sentences.at(-1), 'No completion: It is off.');
  assert.ok(!text({ document: DOCUMENT, nothing: { ...nothing, reason: 'off' } }).sentences.join().includes('No completion'));
  for (const reason of ['loading', 'server']) {
    assert.ok(!text({ nothing: { ...nothing, reason } }).sentences.join().includes('No completion'));
  }
  const { sentences } = text({ busy: true, nothing });
  assert.ok(sentences.includes('Generating a completion') && !sentences.join().includes('No completion'));
  const off = { ...DOCUMENT, off: 'It is off.' };
  assert.equal(text({ busy: true, document: off, nothing }).sentences.at(-1), 'No completion: It is off.');
  const readOnly = text({ nothing }, { ...ACTIVE, unserved: 'It is read-only.' });
  assert.equal(readOnly.sentences.at(-1), 'No completion: It is read-only.');
  assert.ok(!text({ nothing }, null).sentences.join().includes('No completion'));
});

test('a server on another machine is named in the status bar, one on this machine in the tooltip', () => {
  assert.equal(text({}).name, 'Aide');
  assert.equal(text({ server: SERVER }).name, 'Aide: llm.example.com');
  const here = text({ server: { ...SERVER, host: '127.0.0.1:8012', loopback: true } });
  assert.equal(here.name, 'Aide');
  assert.ok(here.sentences.includes('Text is sent to 127.0.0.1:8012 (openai)'));
  assert.ok(text({ server: { ...SERVER, engine: 'server' } }).sentences.includes('Text is sent to llm.example.com'));
  assert.ok(!text({}).sentences.join().includes('Text is sent'));
});

test('what a server ignores and does not promise is in the tooltip', () => {
  const there = text({ server: SERVER, document: DOCUMENT });
  assert.deepEqual(there.parameters[1], ['Top K', '50 (no effect)']);
  assert.deepEqual(there.parameters[2], ['Top P', '0.95']);
  assert.ok(there.sentences.includes('The same seed may give another completion there'));
  assert.ok(!text({ server: { ...SERVER, replays: true } }).sentences.join().includes('same seed'));
});

test('a server that gives no answer is not a model that failed to load', () => {
  const failed = text({ state: 'failed', message: 'It refused the connection.', server: { ...SERVER, problem: 'It refused the connection.' } });
  assert.equal(failed.state, 'Aide: no answer from the server');
  assert.ok(failed.isError);
  assert.equal(failed.sentences[0], 'It refused the connection.');
});

test('loading shows the percentage if it is known, and what is being done', () => {
  const loading = text({ state: 'loading', percent: 42, message: 'Downloading' });
  assert.equal(loading.state, 'Aide: loading the model (42 %)');
  assert.equal(loading.sentences[0], 'Downloading');
  assert.equal(text({ state: 'loading' }).state, 'Aide: loading the model');
});

test('a model that failed to load and a server that is no longer restarted are errors with their reason', () => {
  for (const failed of [text({ state: 'failed', message: 'The disk is full.' }), without('failed', 'The disk is full.')]) {
    assert.ok(failed.isError);
    assert.ok(failed.sentences.includes('The disk is full.'));
  }
});

test('while the server is installed, it says so, and not that there is none', () => {
  const installing = without('installing', 'Installing the runtime');
  assert.equal(installing.state, 'Aide: installing');
  assert.equal(installing.icon, 'loading~spin');
  assert.deepEqual(installing.sentences, ['Installing the runtime']);
});

test('a server that has sent no state yet is starting', () => {
  assert.equal(without('running').state, 'Aide: starting');
});

test('problems with settings are in the tooltip, and a warning', () => {
  const found = text({ document: { ...DOCUMENT, problems: ['top_k in .aide.toml: expected a number.'] } });
  assert.ok(found.isWarning);
  assert.match(tooltip(found, []), /\$\(warning\) top\\_k/);
});

test('the tooltip shows the parameters as a table, and links', () => {
  const markdown = tooltip(text({ document: DOCUMENT }), [[{ text: 'Log', command: 'aide.log', args: ['a b'] }]]);
  assert.match(markdown, /\|&nbsp;Temperature&nbsp;\|&nbsp;Top K&nbsp;\|.*\n.*\n\|&nbsp;0\\.7&nbsp;\|&nbsp;50&nbsp;\|/);
  assert.match(markdown, /\[Log\]\(command:aide\.log\?%5B%22a%20b%22%5D\)/);
});

test('a problem with a file has a link to it', () => {
  const found = text({ document: { ...DOCUMENT, problems: ['top_k in /home/me/my shop/.aide.toml: expected a number.'] } });
  assert.match(tooltip(found, []), /\[Open the file\]\(command:aide\.editor\.openFile\?%5B%22%2Fhome%2Fme%2Fmy%20shop%2F\.aide\.toml%22%5D\)/);
});

test('what Markdown would interpret is escaped', () => {
  assert.equal(escapeMarkdown('set complete_secrets = *true* <b> $(x)'), 'set complete\\_secrets = \\*true\\* \\<b\\> \\$\\(x\\)');
});
