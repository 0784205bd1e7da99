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
 * Show an answer that was ready only after VS Code had canceled its automatic request (after 750 ms): request it
 * explicitly, which has no time limit.
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
    await commands.executeCommand('editor.action.inlineSuggest.trigger');
  }
}
