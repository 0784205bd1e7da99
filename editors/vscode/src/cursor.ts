/** Notifies the server when the cursor moves without an edit, so that it can prefill the text there. */

import { window, type Disposable, type TextEditor } from 'vscode';
import { unservedReason } from './documents';
import { argument, placeOf } from './place';

/** While an arrow key is held down, the cursor moves on within this time. */
const PAUSE_MS = 100;

/** Follow the cursor of the active editor. `send` receives the argument of the notification. */
export function followCursor(send: (place: object) => void): Pick<Disposable, 'dispose'> {
  const versions = new WeakMap<object, number>();
  let timer: NodeJS.Timeout | undefined;

  const moved = (editor: TextEditor | undefined): void => {
    clearTimeout(timer);
    if (editor === undefined) {
      return;
    }
    const { document } = editor;
    // Typing moves the cursor as well, but then VS Code requests a completion anyway.
    const isEdit = versions.has(document) && versions.get(document) !== document.version;
    versions.set(document, document.version);
    if (!isEdit && editor.selection.isEmpty && unservedReason(document) === null) {
      timer = setTimeout(() => { send(argument(placeOf(editor))); }, PAUSE_MS);
    }
  };

  moved(window.activeTextEditor);
  const listeners = [
    window.onDidChangeActiveTextEditor(moved),
    window.onDidChangeTextEditorSelection(({ textEditor }) => { moved(textEditor); }),
  ];
  return {
    dispose: () => {
      clearTimeout(timer);
      for (const listener of listeners) {
        listener.dispose();
      }
    },
  };
}
