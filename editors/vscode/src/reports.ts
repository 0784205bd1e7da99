/** Shows reports of the server: HTML pages in a webview, text in a read-only editor. */

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

  /** Show a page next to the code. The page has its own content security policy and loads nothing. */
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

  /** Show text in an editor tab. */
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
