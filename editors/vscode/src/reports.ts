/** Shows reports of the server: HTML pages in a webview, text in a read-only editor. */

import { commands, EventEmitter, Uri, ViewColumn, window, workspace, type Disposable, type WebviewPanel } from 'vscode';

const SCHEME = 'aide-report';

/** What the script of a page sends when a link is clicked: aide_lsp/pages/links.js. */
interface PageLink {
  file?: string;
  setting?: string;
}

export class Reports implements Disposable {
  private readonly texts = new Map<string, string>();
  private readonly changed = new EventEmitter<Uri>();
  private readonly provider: Disposable;
  private readonly panels = new Map<string, WebviewPanel>();

  constructor() {
    this.provider = workspace.registerTextDocumentContentProvider(SCHEME, {
      onDidChange: this.changed.event,
      provideTextDocumentContent: (uri) => this.texts.get(uri.path) ?? '',
    });
  }

  /** Show a page next to the code. The page has its own content security policy and loads nothing. */
  showPage(title: string, html: string): void {
    const panel = this.panels.get(title) ?? this.open(title);
    panel.webview.html = html;
    panel.reveal(undefined, true);
  }

  private open(title: string): WebviewPanel {
    const column = { viewColumn: ViewColumn.Beside, preserveFocus: true };
    const panel = window.createWebviewPanel('aide.report', title, column, {
      enableScripts: true,
      localResourceRoots: [],
    });
    this.panels.set(title, panel);
    panel.onDidDispose(() => this.panels.delete(title));
    panel.webview.onDidReceiveMessage((link: PageLink) => { void follow(link); });
    return panel;
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
    for (const panel of this.panels.values()) {
      panel.dispose();
    }
  }
}

/** Open what a link of a page leads to: a file on this machine, or a setting of Aide. */
async function follow({ file, setting }: PageLink): Promise<void> {
  if (setting?.startsWith('aide.') === true) {
    await commands.executeCommand('workbench.action.openSettings', `@id:${setting}`);
  } else if (file?.startsWith('file:') === true) {
    const { path } = Uri.parse(file, true);
    // In a remote window, the file is where the server runs.
    await window.showTextDocument(Uri.from({ scheme: 'file', path }), { viewColumn: ViewColumn.One });
  }
}
