/**
 * Tells the server where the cursor went without an edit, so that the text there is read before it is needed.
 * It does not know what the server does with it.
 */

import { window, type Disposable, type TextEditor } from 'vscode';
import { argument } from './commands';
import { placeOf } from './ghost';

/** A cursor that is held on an arrow key goes on at once. */
const PAUSE_MS = 100;

/** Follow the cursor of the active editor; `send` gets what the notification takes. */
export function followCursor(send: (place: object) => void): Pick<Disposable, 'dispose'> {
  const versions = new WeakMap<object, number>();
  let timer: NodeJS.Timeout | undefined;

  const moved = (editor: TextEditor | undefined): void => {
    clearTimeout(timer);
    if (editor === undefined) {
      return;
    }
    const { document } = editor;
    const isEdit = versions.has(document) && versions.get(document) !== document.version;
    versions.set(document, document.version);
    if (!isEdit && editor.selection.isEmpty && ['file', 'untitled'].includes(document.uri.scheme)) {
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
