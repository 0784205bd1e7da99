/**
 * Asks VS Code to ask for inline completions again. Shows nothing itself: the ghost text is VS Code's.
 */

import { commands, window, type Position, type TextDocument, type TextEditor } from 'vscode';
import type { Ready } from './protocol';

/** A cursor in a text at one version. */
export interface Place {
  document: TextDocument;
  version: number;
  position: Position;
}

export function placeOf(editor: TextEditor): Place {
  return { document: editor.document, version: editor.document.version, position: editor.selection.active };
}

/** Whether the cursor still stands there, and the text is the same. */
export function isAt(place: Place): boolean {
  const editor = window.activeTextEditor;
  return (
    editor?.document === place.document &&
    place.document.version === place.version &&
    editor.selection.active.isEqual(place.position)
  );
}

/** Show the server's new answer instead of the ghost text that is there. */
export async function showAnother(): Promise<void> {
  await commands.executeCommand('editor.action.inlineSuggest.hide');
  await commands.executeCommand('editor.action.inlineSuggest.trigger');
}

/**
 * Show an answer that came after VS Code had given up its automatic request (after 750 ms): ask once more,
 * in the way that has no limit.
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
