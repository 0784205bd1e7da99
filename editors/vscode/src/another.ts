/** Shows another completion at the cursor: of another seed, or another candidate of the seed. */

import type { Client } from './client';
import { showAnother } from './ghost';
import { showMessage, withProgress } from './messages';
import { argument, isAt, type Place } from './place';
import type { Candidate } from './protocol';

export class Another {
  private regenerated: Place | undefined;

  constructor(private readonly client: Client) {}

  /** Whether the server may have an earlier completion for the cursor. */
  get canGoBack(): boolean {
    return this.regenerated !== undefined && isAt(this.regenerated);
  }

  /** Run a command that shows another completion. It replaces the ghost text unless the user has moved on. */
  async show(command: string, place: Place, more: object = {}): Promise<void> {
    const candidate = await withProgress(this.client.run<Candidate>(command, { ...argument(place), ...more }));
    await showMessage(candidate);
    if (candidate.insertText && isAt(place)) {
      if (command === 'aide.regenerate') {
        this.regenerated = place;
      }
      await showAnother();
    }
  }
}
