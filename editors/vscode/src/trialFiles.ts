/** Two read-only copies of a file, each with another completion at the cursor, shown as a difference. */

import path from 'node:path';
import { commands, EventEmitter, languages, TabInputTextDiff, Uri, window, workspace, type Disposable } from 'vscode';
import type { Place } from './place';
import type { Troubleshooting } from './protocol';

const SCHEME = 'aide-trial';

export class TrialFiles implements Disposable {
  private readonly texts = new Map<string, string>();
  private readonly changed = new EventEmitter<Uri>();
  private readonly provider = workspace.registerTextDocumentContentProvider(SCHEME, {
    onDidChange: this.changed.event,
    provideTextDocumentContent: (uri) => this.texts.get(uri.path) ?? '',
  });

  /** Show the document with the completion before the change of parameters and with that after it. */
  async show(place: Place, trial: Troubleshooting, title: string): Promise<void> {
    const { document, position } = place;
    const offset = document.offsetAt(position);
    const text = document.getText();
    const sides = [];
    for (const [side, tried] of [['before', trial.before], ['after', trial.after]] as const) {
      const uri = Uri.from({ scheme: SCHEME, path: `/${side}/${path.posix.basename(document.uri.path)}` });
      this.texts.set(uri.path, text.slice(0, offset) + (tried?.text ?? '') + text.slice(offset));
      this.changed.fire(uri);
      await languages.setTextDocumentLanguage(await workspace.openTextDocument(uri), document.languageId);
      sides.push(uri);
    }
    await commands.executeCommand('vscode.diff', ...sides, title, { preview: true });
  }

  dispose(): void {
    this.provider.dispose();
    this.changed.dispose();
  }
}

/** Close the difference if it is still open. */
export async function closeDiff(): Promise<void> {
  const tabs = window.tabGroups.all
    .flatMap((group) => group.tabs)
    .filter(({ input }) => input instanceof TabInputTextDiff && input.modified.scheme === SCHEME);
  await window.tabGroups.close(tabs);
}
