/** Counts crashes, so that a server that keeps crashing is not restarted forever. */

// As many, in as long, as vscode-languageclient allows by default.
const WINDOW_MS = 3 * 60 * 1000;
const ALLOWED = 4;

export class Crashes {
  private times: number[] = [];

  /** Record a crash; return whether to restart. */
  another(now: number): boolean {
    this.times = [...this.times.filter((time) => now - time < WINDOW_MS), now];
    return this.times.length <= ALLOWED;
  }
}
