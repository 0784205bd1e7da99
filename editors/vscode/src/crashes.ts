/**
 * Counts crashes, so that a server that cannot live is not started for ever. It does not know what crashed.
 */

const WINDOW_MS = 3 * 60 * 1000;
const ALLOWED = 4;

export class Crashes {
  private times: number[] = [];

  /** Note a crash; true: start again. */
  another(now: number): boolean {
    this.times = [...this.times.filter((time) => now - time < WINDOW_MS), now];
    return this.times.length <= ALLOWED;
  }
}
