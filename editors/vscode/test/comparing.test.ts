import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellsOf, drawing } from '../src/comparing';

const FIELDS = { temperatures: '0, 0.4 1', seeds: '7, 8', topK: '50', topP: '0.95' };
const CURRENT = { text: 'a', message: '', parameters: { temperature: 0.7, topK: 50, seed: 7 } };

test('each temperature has a cell for each seed, Temperature 0 has one', () => {
  const cells = cellsOf(FIELDS).map(({ parameters }) => [parameters.temperature, parameters.seed]);
  assert.deepEqual(cells, [[0, 7], [0.4, 7], [0.4, 8], [1, 7], [1, 8]]);
});

test('what is invalid is refused with a sentence', () => {
  for (const [fields, sentence] of [
    [{ temperatures: '2' }, /^Temperatures: write numbers from 0 to 1/],
    [{ temperatures: '' }, /^Temperatures/],
    [{ seeds: '1.5' }, /^Seeds: write whole numbers from 0/],
    [{ seeds: 'x' }, /^Seeds/],
    [{ topK: '0' }, /^Top K/],
    [{ topP: '0.1, 0.2' }, /^Top P: write one value/],
    [{ seeds: Array.from({ length: 20 }, (_, at) => at).join(' ') }, /^These are 41 completions/],
  ] as const) {
    assert.throws(() => cellsOf({ ...FIELDS, ...fields }), { message: sentence });
  }
});

test('equal texts are merged, and the current one is marked', () => {
  const cells = cellsOf({ ...FIELDS, temperatures: '0, 1' });
  ['b', 'a', 'b'].forEach((text, at) => { Object.assign(cells[at] ?? {}, { text }); });
  const { current, rows } = drawing('x.py:1:1', '', CURRENT, cells);
  assert.equal(current.name, 'Temperature 0.7, Top K 50, Seed 7');
  assert.deepEqual(rows.map((row) => row.title), ['Temperature 0', 'Temperature 1']);
  assert.deepEqual(rows.flatMap((row) => row.cells.map((cell) => [cell.name, cell.note, cell.sameAs])), [
    ['Any seed', '', null],
    ['Seed 7', 'the current text', null],
    ['Seed 8', '', 'Temperature 0'],
  ]);
});

test('how many completions are there is said, also of one', () => {
  const cells = cellsOf(FIELDS);
  const said = (): string => drawing('x.py:1:1', '', CURRENT, cells).progress;
  assert.equal(said(), '0 of 5 completions');
  Object.assign(cells[0] ?? {}, { text: 'a' });
  Object.assign(cells[1] ?? {}, { message: 'No completion.' });
  assert.equal(said(), '2 of 5 completions');
  cells.forEach((cell) => { cell.text = 'a'; });
  assert.equal(said(), '5 completions');
  assert.equal(drawing('x.py:1:1', '', CURRENT, cells.slice(0, 1)).progress, '1 completion');
});
