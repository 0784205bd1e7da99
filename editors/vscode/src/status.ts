/** The status bar item: keeps the server's last state and shows it for the active document. */

import { MarkdownString, StatusBarAlignment, ThemeColor, window, type Disposable } from 'vscode';
import { LINKED, links } from './actions';
import { activeDocument } from './active';
import type { AideStatus } from './protocol';
import { statusText, type Phase, type Situation, type StatusText } from './statusText';
import { tooltip } from './statusTooltip';

/** A completion usually takes less; an icon that changes with every key disturbs. */
const BUSY_MS = 400;

export class Status implements Disposable {
  private readonly item = window.createStatusBarItem('aide.status', StatusBarAlignment.Right, 100);
  private readonly listener = window.onDidChangeActiveTextEditor(() => { this.render(); });
  private phase: Phase = 'starting';
  private detail: string | null = null;
  private busy: NodeJS.Timeout | undefined;
  private isBusy = false;
  /** The last state that the server sent; null if it has sent none since it started. */
  last: AideStatus | null = null;

  constructor() {
    this.item.name = 'Aide';
    this.item.command = 'aide.editor.menu';
    this.render();
    this.item.show();
  }

  /** Follow the server's process. A new one has not sent a state yet. `detail`: see `Situation`. */
  follow(phase: Phase, detail: string | null = null): void {
    this.phase = phase;
    this.detail = detail;
    if (phase !== 'running') {
      this.last = null;
    }
    this.render();
  }

  /** Show a state that the server sent. */
  update(status: AideStatus): void {
    this.last = status;
    if (!status.busy) {
      clearTimeout(this.busy);
      this.busy = undefined;
      this.isBusy = false;
    } else {
      this.busy ??= setTimeout(() => {
        this.isBusy = true;
        this.render();
      }, BUSY_MS);
    }
    this.render();
  }

  /** What is known now. */
  get situation(): Situation {
    const status = this.last && { ...this.last, busy: this.isBusy };
    return { phase: this.phase, detail: this.detail, status, active: activeDocument() };
  }

  /** The current state in one line. */
  get summary(): string {
    const { state, sentences } = statusText(this.situation);
    return [state, ...sentences].join(' · ');
  }

  dispose(): void {
    clearTimeout(this.busy);
    this.listener.dispose();
    this.item.dispose();
  }

  private render(): void {
    const situation = this.situation;
    const text = statusText(situation);
    const markdown = new MarkdownString(tooltip(text, links(situation)), true);
    markdown.isTrusted = { enabledCommands: LINKED };
    // The width never changes: all icons have the same.
    this.item.text = `$(${text.icon}) ${text.name}`;
    this.item.backgroundColor = background(text);
    this.item.tooltip = markdown;
    this.item.accessibilityInformation = { label: label(text) };
  }
}

function background({ isError, isWarning }: StatusText): ThemeColor | undefined {
  if (isError) {
    return new ThemeColor('statusBarItem.errorBackground');
  }
  return isWarning ? new ThemeColor('statusBarItem.warningBackground') : undefined;
}

/** What a screen reader says. */
function label({ state, sentences, parameters, problems }: StatusText): string {
  return [state, ...sentences, ...parameters.map((pair) => pair.join(' ')), ...problems].join(', ');
}
