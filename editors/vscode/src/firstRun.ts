/**
 * The first run, in one notification: the server's installation, the download of its model, conversion, and loading.
 * At its end it says how to go on.
 */

import { CancellationTokenSource, commands, ProgressLocation, window, type CancellationToken, type Progress } from 'vscode';
import type { AideStatus } from './protocol';
import { gigabytes, MODEL_MB, SERVER_MB } from './sizes';

/** How much of the progress bar the server's installation takes, in percent. */
const SERVER_SHARE = 35;
const STEPS = 3;
const START = 'Show Me How';

export class FirstRun {
  private readonly source = new CancellationTokenSource();
  private progress: Progress<{ message?: string; increment?: number }> | undefined;
  private end: (() => void) | undefined;
  private isOver = false;
  private message = '';
  private steps = 0;
  private wanted: number;
  private shown = 0;

  /** `installs`: whether the server is installed first. */
  constructor(private readonly installs: boolean) {
    this.wanted = 0;
    const options = { location: ProgressLocation.Notification, title: 'Aide', cancellable: true };
    void window.withProgress(options, async (progress, token) => {
      token.onCancellationRequested(() => { this.source.cancel(); });
      this.progress = progress;
      this.report();
      await new Promise<void>((resolve) => {
        this.end = resolve;
        if (this.isOver) {
          resolve();
        }
      });
    });
  }

  /** Canceled when the user cancels the first run. */
  get token(): CancellationToken {
    return this.source.token;
  }

  /** Show a step of the server's installation. */
  step(message: string): void {
    this.steps += 1;
    this.wanted = (SERVER_SHARE * (this.steps - 1)) / STEPS;
    this.message = `${message} (${gigabytes(SERVER_MB)} in all). Next: the model (${gigabytes(MODEL_MB)})`;
    this.report();
  }

  /** Show what the server does. */
  follow({ message, percent }: AideStatus): void {
    const begin = this.installs ? SERVER_SHARE : 0;
    this.wanted = begin + ((100 - begin) * (percent ?? 0)) / 100;
    this.message = message ?? this.message;
    this.report();
  }

  /** Take the notification away. */
  close(): void {
    this.isOver = true;
    this.end?.();
  }

  private report(): void {
    const increment = Math.max(0, this.wanted - this.shown);
    if (this.progress !== undefined) {
      this.shown += increment;
      this.progress.report({ message: this.message, increment });
    }
  }
}

/** Say that Aide can be used now, and how. */
export async function welcome(): Promise<void> {
  const answer = await window.showInformationMessage('Aide is ready. Type, and press Tab to accept.', START);
  if (answer === START) {
    await commands.executeCommand('workbench.action.openWalkthrough', 'aide.aide#start', false);
  }
}
