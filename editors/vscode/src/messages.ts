/** What commands show while they run, and what they show when they are done. */

import { ProgressLocation, window } from 'vscode';
import type { Answer } from './protocol';
import { isOutdated, signed } from './signed';

/** Show the message of an answer, if it has one that the user needs. */
export async function showMessage(answer: Answer | Promise<Answer>): Promise<void> {
  const { message, reason } = await answer;
  if (message && !isOutdated(reason)) {
    void window.showInformationMessage(signed(message));
  }
}

/** Show progress in the status bar during work that may take seconds. */
export function withProgress<T>(work: Promise<T>): Promise<T> {
  return Promise.resolve(window.withProgress({ location: ProgressLocation.Window, title: 'Aide' }, () => work));
}
