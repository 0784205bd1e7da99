/**
 * Shows what the server reports: a page in a webview, a text in a read-only editor. It does not know what is in it.
 */

import { EventEmitter, Uri, ViewColumn, window, workspace, type Disposable, type WebviewPanel } from 'vscode';

const SCHEME = 'aide-report';

export class Reports implements Disposable {
  private readonly texts = new Map<string, string>();
  private readonly changed = new EventEmitter<Uri>();
  private readonly provider: Disposable;
  private panel: WebviewPanel | undefined;

  constructor() {
    this.provider = workspace.registerTextDocumentContentProvider(SCHEME, {
      onDidChange: this.changed.event,
      provideTextDocumentContent: (uri) => this.texts.get(uri.path) ?? '',
    });
  }

  /** Show a page beside the code. It brings its own content security policy and loads nothing. */
  showPage(title: string, html: string): void {
    if (this.panel === undefined) {
      const column = { viewColumn: ViewColumn.Beside, preserveFocus: true };
      this.panel = window.createWebviewPanel('aide.report', title, column, {
        enableScripts: true,
        localResourceRoots: [],
      });
      this.panel.onDidDispose(() => { this.panel = undefined; });
    }
    this.panel.webview.html = html;
    this.panel.reveal(undefined, true);
  }

  /** Show a text in an editor of its own. */
  async showText(title: string, text: string): Promise<void> {
    const uri = Uri.from({ scheme: SCHEME, path: title });
    this.texts.set(uri.path, text);
    this.changed.fire(uri);
    await window.showTextDocument(await workspace.openTextDocument(uri), { preview: true });
  }

  dispose(): void {
    this.provider.dispose();
    this.changed.dispose();
    this.panel?.dispose();
  }
}
