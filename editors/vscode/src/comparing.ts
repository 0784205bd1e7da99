/** The cells of a comparison: which completions to ask for, and how the page shows what came. */

import { label } from './trialText';

/** As the user writes them. */
export interface Fields {
  temperatures: string;
  seeds: string;
  topK: string;
  topP: string;
}

export interface CellParameters {
  temperature: number;
  seed: number;
  topK: number;
  topP: number;
}

export interface Cell {
  id: string;
  parameters: CellParameters;
  /** Empty: not there yet, or no completion. */
  text: string;
  message: string;
}

export interface Current {
  text: string;
  message: string;
  parameters: Record<string, unknown>;
}

/** What the page draws. */
export interface Drawing {
  where: string;
  before: string;
  /** How many completions are there, for a look and for screen readers. */
  progress: string;
  current: DrawnCell;
  rows: { title: string; cells: DrawnCell[] }[];
}

interface DrawnCell {
  id: string;
  name: string;
  row: string;
  note: string;
  text: string;
  message: string;
  sameAs: string | null;
}

const WAITING = 'Waiting …';
export const TEMPERATURES = [0, 0.4, 0.7, 1];
/** So that a comparison ends in a reasonable time. */
const MOST_CELLS = 24;
const MOST_SEED = 2 ** 53 - 1;

/**
 * The cells for what the user wrote, by temperature. At Temperature 0 all seeds give the same text, so there is one.
 * Throws an error with a sentence if a value is invalid.
 */
export function cellsOf(fields: Fields): Cell[] {
  const temperatures = numbers(fields.temperatures, 'Temperatures', 0, 1);
  const seeds = numbers(fields.seeds, 'Seeds', 0, MOST_SEED, true);
  const topK = one(numbers(fields.topK, 'Top K', 1, MOST_SEED, true), 'Top K');
  const topP = one(numbers(fields.topP, 'Top P', 0, 1), 'Top P');
  const cells = temperatures.flatMap((temperature) =>
    (temperature === 0 ? seeds.slice(0, 1) : seeds).map((seed) => ({
      id: `cell-${temperature}-${seed}`,
      parameters: { temperature, seed, topK, topP },
      text: '',
      message: WAITING,
    })),
  );
  if (cells.length > MOST_CELLS) {
    throw new Error(`These are ${cells.length} completions. Compare at most ${MOST_CELLS} at a time.`);
  }
  return cells;
}

/** What the page draws, with equal texts shown once. */
export function drawing(where: string, before: string, current: Current, cells: Cell[]): Drawing {
  const rows = new Map<number, DrawnCell[]>();
  cells.forEach((cell, index) => {
    const { temperature } = cell.parameters;
    const row = rows.get(temperature) ?? [];
    rows.set(temperature, [...row, drawn(cell, cells.slice(0, index), current)]);
  });
  return {
    where,
    before,
    progress: progressOf(cells),
    current: {
      id: 'current',
      name: Object.entries(current.parameters)
        .filter(([, value]) => value !== null)
        .map(([key, value]) => `${label(key)} ${String(value)}`)
        .join(', '),
      row: '',
      note: '',
      text: current.text,
      message: current.message,
      sameAs: null,
    },
    rows: [...rows].map(([temperature, row]) => ({ title: `Temperature ${temperature}`, cells: row })),
  };
}

function progressOf(cells: Cell[]): string {
  const done = cells.filter(({ text, message }) => text !== '' || message !== WAITING).length;
  const all = `${cells.length} completion${cells.length === 1 ? '' : 's'}`;
  return done < cells.length ? `${done} of ${all}` : all;
}

function drawn(cell: Cell, earlier: Cell[], current: Current): DrawnCell {
  const { id, text, message, parameters } = cell;
  const same = text === '' ? undefined : earlier.find((other) => other.text === text);
  const isCurrent = text !== '' && text === current.text;
  return {
    id,
    name: parameters.temperature === 0 ? 'Any seed' : `Seed ${parameters.seed}`,
    row: `Temperature ${parameters.temperature}`,
    note: isCurrent ? 'the current text' : '',
    text,
    message,
    sameAs: same === undefined ? null : nameOf(same),
  };
}

function nameOf({ parameters: { temperature, seed } }: Cell): string {
  return temperature === 0 ? 'Temperature 0' : `Temperature ${temperature}, seed ${seed}`;
}

function numbers(written: string, name: string, least: number, most: number, whole = false): number[] {
  const parts = written.split(/[\s,;]+/).filter(Boolean);
  const found = [...new Set(parts.map(Number))];
  const fits = (value: number) => value >= least && value <= most && (!whole || Number.isInteger(value));
  if (found.length === 0 || !found.every(fits)) {
    const kind = whole ? 'whole numbers' : 'numbers';
    const range = most === MOST_SEED ? `from ${least}` : `from ${least} to ${most}`;
    throw new Error(`${name}: write ${kind} ${range}, separated by commas.`);
  }
  return found;
}

function one(values: number[], name: string): number {
  const [value, ...others] = values;
  if (value === undefined || others.length > 0) {
    throw new Error(`${name}: write one value.`);
  }
  return value;
}
