/**
 * Decides when the server is notified of a cursor that moves: of a jump at once; while a key is held down, only of its
 * first move, and where the cursor rests.
 */

/** While a key is held down, the cursor moves on within this time. */
const PAUSE_MS = 100;
/** A key that is held down begins to repeat within this time. */
const REST_MS = 700;

export class Moves<Place> {
  private timer: NodeJS.Timeout | undefined;
  private movedAt = -Infinity;

  constructor(private readonly notify: (place: Place) => void) {}

  /** The cursor was moved there. */
  to(place: Place): void {
    const now = Date.now();
    const hasRested = now - this.movedAt >= REST_MS;
    this.movedAt = now;
    if (hasRested) {
      this.stop();
      this.notify(place);
    } else {
      this.at(place);
    }
  }

  /** The cursor is there in an editor that was opened, which may move it right after that. */
  at(place: Place): void {
    this.stop();
    this.timer = setTimeout(() => { this.notify(place); }, PAUSE_MS);
  }

  /** The cursor is not there anymore. */
  stop(): void {
    clearTimeout(this.timer);
  }
}
