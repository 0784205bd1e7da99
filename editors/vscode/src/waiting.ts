/** Remembers where the user waits for a completion, and requests it there once the server can answer. */

import { commands, window } from 'vscode';
import { isAt, placeOf, type Place } from './place';

export class Waiting {
  private place: Place | undefined;

  /** The user waits here: a completion was requested, or would have been if there were a server. */
  at(place: Place): void {
    this.place = place;
  }

  /** The user waits at the cursor of the active editor. */
  atCursor(): void {
    const editor = window.activeTextEditor;
    this.place = editor && placeOf(editor);
  }

  get isHere(): boolean {
    return this.place !== undefined && isAt(this.place);
  }

  /**
   * Request a completion if the user still waits at this place. Ghost text that is there stays. An explicit request:
   * VS Code cancels automatic ones after 750 ms.
   */
  async request(): Promise<void> {
    if (this.isHere) {
      await commands.executeCommand('editor.action.inlineSuggest.trigger');
    }
  }
}
