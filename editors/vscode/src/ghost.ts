/** Makes VS Code request inline completions again. VS Code itself draws the ghost text. */

import { commands } from 'vscode';

/** Replace the current ghost text with the server's new answer. */
export async function showAnother(): Promise<void> {
  // Otherwise VS Code does not ask again where it asked explicitly, and keeps a text that the new one begins with.
  await commands.executeCommand('editor.action.inlineSuggest.hide');
  await commands.executeCommand('editor.action.inlineSuggest.trigger');
}
