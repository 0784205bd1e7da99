/** A cursor in one version of a document, and how the server's commands take it. */

import { window, type Position, type TextDocument, type TextEditor, type ViewColumn } from 'vscode';
import type { Ready } from './protocol';

export interface Place {
  document: TextDocument;
  version: number;
  position: Position;
  /** The column of its editor. */
  column?: ViewColumn | undefined;
}

export function placeOf(editor: TextEditor): Place {
  const { document, selection, viewColumn } = editor;
  return { document, version: document.version, position: selection.active, column: viewColumn };
}

/** Whether the cursor is still there and the text is unchanged. */
export function isAt(place: Place): boolean {
  const editor = window.activeTextEditor;
  return (
    editor?.document === place.document &&
    place.document.version === place.version &&
    editor.selection.active.isEqual(place.position)
  );
}

/** Whether the cursor is at a place of the server's, and the text is the one that it knows. */
export function isCursorAt({ uri, version, position }: Ready): boolean {
  const editor = window.activeTextEditor;
  return (
    editor?.document.uri.toString() === uri &&
    editor.document.version === version &&
    editor.selection.isEmpty &&
    editor.selection.active.line === position.line &&
    editor.selection.active.character === position.character
  );
}

/** The argument of the server's commands and notifications about a place. */
export function argument(place: Place): object {
  const { line, character } = place.position;
  return { uri: place.document.uri.toString(), position: { line, character } };
}
