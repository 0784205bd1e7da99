/** Follows the cursor of the active editor. */

import { window, type Disposable, type TextEditor } from 'vscode';
import { unservedReason } from './documents';
import { placeOf, type Place } from './place';

/** While an arrow key is held down, the cursor moves on within this time. */
const PAUSE_MS = 100;

export interface Movements {
  /** The cursor was moved without an edit, and stays: the server can prefill the text there. */
  moved: (place: Place) => void;
  /** The cursor was moved by an edit. */
  edited: (place: Place) => void;
}

export function followCursor({ moved, edited }: Movements): Pick<Disposable, 'dispose'> {
  const versions = new WeakMap<object, number>();
  let timer: NodeJS.Timeout | undefined;

  const follow = (editor: TextEditor | undefined): void => {
    clearTimeout(timer);
    if (editor === undefined) {
      return;
    }
    const { document } = editor;
    const isEdit = versions.has(document) && versions.get(document) !== document.version;
    versions.set(document, document.version);
    if (isEdit) {
      edited(placeOf(editor));
    } else if (editor.selection.isEmpty && unservedReason(document) === null) {
      timer = setTimeout(() => { moved(placeOf(editor)); }, PAUSE_MS);
    }
  };

  follow(window.activeTextEditor);
  const listeners = [
    window.onDidChangeActiveTextEditor(follow),
    window.onDidChangeTextEditorSelection(({ textEditor }) => { follow(textEditor); }),
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
