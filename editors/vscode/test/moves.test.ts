import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Moves } from '../src/moves';

/** Move the cursor at these times, in milliseconds, and say when the server was notified of which move. */
function notified(times: number[]): [number, number][] {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const found: [number, number][] = [];
  const moves = new Moves<number>((move) => found.push([Date.now() - 1_000_000, move]));
  let now = 0;
  for (const [move, at] of times.entries()) {
    mock.timers.tick(at - now);
    now = at;
    moves.to(move);
  }
  for (let waited = 0; waited < 1000; waited += 1) {
    mock.timers.tick(1); // the clock of a callback is that at the end of a tick
  }
  mock.timers.reset();
  return found;
}

test('a jump is notified at once, and only once', () => {
  assert.deepEqual(notified([0]), [[0, 0]]);
  assert.deepEqual(notified([0, 2000]), [[0, 0], [2000, 1]]);
});

test('of a key that is held down, the first move and the last place are', () => {
  // It begins to repeat after half a second, 30 times a second.
  const held = [0, ...Array.from({ length: 60 }, (_, count) => 500 + 33 * count)];
  assert.deepEqual(notified(held), [[0, 0], [500 + 33 * 59 + 100, 60]]);
});

test('a second jump soon after the first one is notified once the cursor rests', () => {
  assert.deepEqual(notified([0, 300]), [[0, 0], [400, 1]]);
});

test('of an editor that was opened, the place is where its cursor goes at once', () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const found: number[] = [];
  const moves = new Moves<number>((move) => found.push(move));
  moves.at(0);
  moves.to(1);
  assert.deepEqual(found, [1]);
  mock.timers.tick(10_000);
  moves.at(2);
  mock.timers.tick(10_000);
  mock.timers.reset();
  assert.deepEqual(found, [1, 2]);
});

test('a cursor that has left is not notified', () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const found: number[] = [];
  const moves = new Moves<number>((move) => found.push(move));
  moves.to(0);
  moves.to(1);
  moves.stop();
  mock.timers.tick(10_000);
  mock.timers.reset();
  assert.deepEqual(found, [0]);
});
