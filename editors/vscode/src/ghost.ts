/** Makes VS Code request inline completions again. VS Code itself draws the ghost text. */

import { commands, window } from 'vscode';
import type { Ready } from './protocol';

/** Replace the current ghost text with the server's new answer. */
export async function showAnother(): Promise<void> {
  // Otherwise VS Code does not ask again where it asked explicitly, and keeps a text that the new one begins with.
  await commands.executeCommand('editor.action.inlineSuggest.hide');
  await commands.executeCommand('editor.action.inlineSuggest.trigger');
}

/**
 * Show an answer that was ready only after VS Code had canceled its automatic request (after 750 ms), or after the
 * first lines of it were shown: request it explicitly, which has no time limit.
 */
export async function showLate(ready: Ready): Promise<void> {
  const editor = window.activeTextEditor;
  if (
    editor?.document.uri.toString() === ready.uri &&
    editor.document.version === ready.version &&
    editor.selection.isEmpty &&
    editor.selection.active.line === ready.position.line &&
    editor.selection.active.character === ready.position.character
  ) {
    // VS Code keeps what is visible, and lists what is new after it. Where nothing is visible anymore, the user has
    // hidden it, and this does nothing.
    const command = ready.more ? 'showNext' : 'trigger';
    await commands.executeCommand(`editor.action.inlineSuggest.${command}`);
  }
}
