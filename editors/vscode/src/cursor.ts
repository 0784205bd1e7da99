/** Follows the cursor of the active editor. */

import { TextEditorSelectionChangeKind, window, type Disposable, type TextEditor } from 'vscode';
import { unservedReason } from './documents';
import { Moves } from './moves';
import { placeOf, type Place } from './place';

export interface Movements {
  /** The cursor was moved without an edit: the server can prefill the text there. `exact`: with the mouse. */
  moved: (place: Place, exact: boolean) => void;
  /** The cursor was moved by an edit. */
  edited: (place: Place) => void;
}

export interface Cursor extends Pick<Disposable, 'dispose'> {
  /** Notify the server of where the cursor is: it did not listen when the cursor went there. */
  again: () => void;
}

export function followCursor({ moved, edited }: Movements): Cursor {
  const versions = new WeakMap<object, number>();
  const moves = new Moves<{ place: Place; exact: boolean }>(({ place, exact }) => { moved(place, exact); });

  const follow = (editor: TextEditor | undefined, cause?: TextEditorSelectionChangeKind | 'opened'): void => {
    moves.stop();
    if (editor === undefined) {
      return;
    }
    const { document } = editor;
    // A file may have changed on the disk meanwhile, or have been restored: nobody typed there.
    const isEdit = cause !== 'opened' && versions.has(document) && versions.get(document) !== document.version;
    versions.set(document, document.version);
    if (isEdit) {
      edited(placeOf(editor));
    } else if (editor.selection.isEmpty && unservedReason(document) === null) {
      const move = { place: placeOf(editor), exact: cause === TextEditorSelectionChangeKind.Mouse };
      if (cause === 'opened') {
        moves.at(move);
      } else {
        moves.to(move);
      }
    }
  };

  const listeners = [
    window.onDidChangeActiveTextEditor((editor) => { follow(editor, 'opened'); }),
    window.onDidChangeTextEditorSelection(({ textEditor, kind }) => { follow(textEditor, kind); }),
  ];
  const again = (): void => { follow(window.activeTextEditor, 'opened'); };
  again();
  return {
    again,
    dispose: () => {
      moves.stop();
      for (const listener of listeners) {
        listener.dispose();
      }
    },
  };
}
