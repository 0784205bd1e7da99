/** Opens files that the server names. */

import { Uri, window, workspace } from 'vscode';

/** Open a settings file. Nothing else: what is given may come from a link. */
export async function openFile(file: unknown): Promise<void> {
  if (typeof file === 'string' && file.endsWith('.toml')) {
    await window.showTextDocument(await workspace.openTextDocument(Uri.file(file)));
  }
}
