/** Remembers where the user waits for a completion, and requests it there once the server can answer. */

import { commands, languages, window, type Disposable } from 'vscode';
import { isAt, isCursorAt, placeOf, type Place } from './place';
import type { Ready } from './protocol';

/** After accepting, VS Code has asked again by then, if it does. */
const ACCEPTED_MS = 150;
/** By then, VS Code has requested what comes next, if it does. */
const NEXT_MS = 300;
const STEP_MS = 20;

export class Waiting implements Disposable {
  private place: Place | undefined;
  private requested: Place | undefined;
  private requests = 0;
  private isExplicit = false;
  private gotNothing = false;
  private another: Disposable | undefined;

  /** The user waits here: a completion was requested, or would have been if there were a server. */
  at(place: Place, isExplicit = false): void {
    this.place = place;
    this.isExplicit = isExplicit;
    this.gotNothing = true;
  }

  /** VS Code requested a completion here. */
  asked(place: Place, isExplicit: boolean): void {
    this.at(place, isExplicit);
    this.requested = place;
    this.requests += 1;
  }

  /** The user accepted a completion. After its last line, accepted by line, VS Code does not request what follows. */
  async accepted(): Promise<void> {
    await pause(ACCEPTED_MS);
    if (this.requested !== undefined && !isAt(this.requested) && window.activeTextEditor?.document === this.requested.document) {
      this.atCursor();
      await this.request();
    }
  }

  /** The request of this place was answered with a completion. */
  answered(place: Place): void {
    if (place === this.place) {
      this.gotNothing = false;
    }
  }

  /** The user waits at the cursor of the active editor. */
  atCursor(): void {
    const editor = window.activeTextEditor;
    this.place = editor && placeOf(editor);
    this.isExplicit = false;
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
      if (this.isExplicit && this.gotNothing) {
        this.invalidate();
      }
      await commands.executeCommand('editor.action.inlineSuggest.trigger');
    }
  }

  /**
   * The server has an answer: show it if the cursor is still there. It came after VS Code had canceled its automatic
   * request (after 750 ms), or is all of a completion whose first lines are visible.
   */
  async ready(ready: Ready): Promise<void> {
    if (!isCursorAt(ready)) {
      return;
    }
    if (!ready.more) {
      await commands.executeCommand('editor.action.inlineSuggest.trigger');
      return;
    }
    if (this.isExplicit) {
      this.invalidate();
    }
    const requests = this.requests;
    // VS Code requests again, keeps what is visible, and shows what is new after it. Where the user has hidden what was
    // visible, nothing happens.
    await commands.executeCommand('editor.action.inlineSuggest.showNext');
    for (let waited = 0; waited < NEXT_MS && this.requests === requests; waited += STEP_MS) {
      await pause(STEP_MS);
    }
    if (this.requests === requests || !isCursorAt(ready)) {
      return;
    }
    // This only waits for the answer.
    await commands.executeCommand('editor.action.inlineSuggest.trigger');
    if (isCursorAt(ready)) {
      // Requested once more, it keeps all, and drops the first lines: otherwise the next key would bring them back.
      this.invalidate();
      await commands.executeCommand('editor.action.inlineSuggest.trigger');
    }
  }

  dispose(): void {
    this.another?.dispose();
  }

  /** Where it requested explicitly, VS Code asks again only if there is another provider. */
  private invalidate(): void {
    this.another?.dispose();
    this.another = languages.registerInlineCompletionItemProvider({ pattern: '**' }, { provideInlineCompletionItems: () => [] });
  }
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
