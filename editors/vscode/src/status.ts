/** The status bar item: keeps the server's last state and shows it. `statusText.ts` words it. */

import { MarkdownString, StatusBarAlignment, ThemeColor, window, type Disposable } from 'vscode';
import type { AideStatus } from './protocol';
import { escapeMarkdown, statusText, type Phase } from './statusText';

export class Status implements Disposable {
  private readonly item = window.createStatusBarItem('aide.status', StatusBarAlignment.Right, 100);
  private phase: Phase = 'starting';
  private failure: string | null = null;
  /** The last state that the server sent; null if it has sent none since it started. */
  last: AideStatus | null = null;

  constructor() {
    this.item.name = 'Aide';
    this.item.command = 'aide.editor.menu';
    this.render();
    this.item.show();
  }

  /** Follow the server's process. A new one has not sent a state yet. */
  follow(phase: Phase, failure: string | null = null): void {
    this.phase = phase;
    this.failure = failure;
    if (phase !== 'running') {
      this.last = null;
    }
    this.render();
  }

  /** Show a state that the server sent. */
  update(status: AideStatus): void {
    this.last = status;
    this.render();
  }

  /** The current state in one line. */
  get summary(): string {
    return this.texts().tooltip.join(' · ');
  }

  dispose(): void {
    this.item.dispose();
  }

  private texts() {
    return statusText(this.phase, this.last, this.failure);
  }

  private render(): void {
    const { text, tooltip, isError } = this.texts();
    this.item.text = text;
    this.item.backgroundColor = isError ? new ThemeColor('statusBarItem.errorBackground') : undefined;
    this.item.tooltip = new MarkdownString(tooltip.map(escapeMarkdown).join('\n\n'));
    this.item.accessibilityInformation = { label: tooltip.join(', ') };
  }
}
