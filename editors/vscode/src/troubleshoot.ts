/**
 * Troubleshooting: what other parameters would generate at the cursor, as a difference between the file with the
 * current completion and the file with the other one. The user keeps the parameters or not.
 */

import { window, type Disposable, type QuickPickItem } from 'vscode';
import type { Client } from './client';
import { showAnother } from './ghost';
import { withProgress } from './messages';
import { argument, type Place } from './place';
import { writeToProject } from './projectFile';
import type { Choices, Troubleshooting } from './protocol';
import { messageOf, signed } from './signed';
import { closeDiff, TrialFiles } from './trialFiles';
import { changesText, reasonsText } from './trialText';

const WRITE = 'Write to Project';
const KEEP = 'Keep as Is';

export class Troubleshooter implements Disposable {
  private readonly files = new TrialFiles();
  /** What to do with the parameters of the difference that is shown. */
  private settle: ((write: boolean) => Promise<void>) | undefined;

  constructor(private readonly client: Client) {}

  /** Let the user choose a complaint, and show what the parameters that may help would change here. */
  async run(place: Place): Promise<void> {
    const complaint = await this.chooseComplaint(place);
    if (complaint === undefined) {
      return;
    }
    const question = { ...argument(place), complaint };
    const trial = await withProgress(this.client.run<Troubleshooting>('aide.troubleshoot', question));
    if (trial.before?.text !== trial.after?.text) {
      await this.files.show(place, trial, changesText(trial));
    }
    const changes = Object.keys(trial.changes ?? {}).length > 0;
    const settle = once((write) => this.end(place, trial, write));
    this.settle = settle;
    // Not awaited: the command is done. The notification goes after some seconds; the buttons of the difference stay.
    void window.showInformationMessage(`Aide: ${reasonsText(trial)}`, ...(changes ? [WRITE, KEEP] : [])).then((answer) =>
      answer === undefined ? undefined : settle(answer === WRITE),
    );
  }

  /** Write the parameters of the difference that is shown to the project, or keep those in effect; close it. */
  async answer(write: boolean): Promise<void> {
    await this.settle?.(write);
  }

  dispose(): void {
    this.files.dispose();
  }

  private async chooseComplaint(place: Place): Promise<string | undefined> {
    const { complaints } = await this.client.run<Choices>('aide.choices', { uri: place.document.uri.toString() });
    const items = complaints.map(({ name, detail }): QuickPickItem => ({ label: name, detail }));
    const chosen = await window.showQuickPick(items, {
      title: 'Aide: Troubleshoot Completions',
      placeHolder: 'What is wrong with the completions?',
    });
    return chosen?.label;
  }

  private async end(place: Place, trial: Troubleshooting, write: boolean): Promise<void> {
    await closeDiff();
    if (!write) {
      return;
    }
    const uri = place.document.uri.toString();
    if (await writeToProject(this.client, 'aide.writeParameters', { uri, parameters: trial.changes })) {
      await showAnother();
    }
  }
}

/** Do something at the first call only, and show an error message if it fails. */
function once(action: (write: boolean) => Promise<void>): (write: boolean) => Promise<void> {
  let done = false;
  return async (write) => {
    if (!done) {
      done = true;
      await action(write).catch((error: unknown) => {
        void window.showErrorMessage(signed(messageOf(error)));
      });
    }
  };
}
