/**
 * The commands of the palette. Each runs a command of the server at the cursor and shows the answer; those that
 * ask the user to choose are in `pickers.ts`.
 */

import { commands, window, type Disposable, type ExtensionContext } from 'vscode';
import type { Client } from './client';
import { Comparison } from './compare';
import { showAnother } from './ghost';
import { showMessage, withProgress } from './messages';
import { chooseModel, choosePreset, showMenu } from './pickers';
import { argument, isAt, placeOf, type Place } from './place';
import type { Answer, Candidate, Explanation, SettingsReport } from './protocol';
import { Reports } from './reports';
import type { Status } from './status';
import { Troubleshooter } from './troubleshoot';
import type { Waiting } from './waiting';
import { tryIt, usePreset } from './walkthrough';

type Action = (place: Place | undefined, argument: unknown) => Promise<void>;

export function registerCommands(
  context: ExtensionContext,
  client: Client,
  status: Status,
  waiting: Waiting,
): Pick<Disposable, 'dispose'>[] {
  const reports = new Reports();
  const troubleshooter = new Troubleshooter(client);
  const comparison = new Comparison(client);
  const table: Record<string, Action> = {
    regenerate: (place) => another(client, 'aide.regenerate', needed(place)),
    previousSeed: (place) => another(client, 'aide.previousSeed', needed(place)),
    pinSeed: (place) => showMessage(client.run<Answer>('aide.pinSeed', argument(needed(place)))),
    unpinSeed: (place) => showMessage(client.run<Answer>('aide.unpinSeed', argument(needed(place)))),
    choosePreset: (place) => choosePreset(client, needed(place)),
    troubleshoot: (place) => troubleshooter.run(needed(place)),
    compare: (place) => withProgress(comparison.open(needed(place), status.last?.shown ?? null)),
    writeTrial: () => troubleshooter.answer(true),
    keepTrial: () => troubleshooter.answer(false),
    explain: async (place) => {
      const explanation = await withProgress(client.run<Explanation>('aide.explain', argument(needed(place))));
      if (explanation.html === undefined) {
        await showMessage(explanation);
      } else {
        reports.showPage('Aide: Explanation', explanation.html);
      }
    },
    settings: async (place) => {
      const uri = place?.document.uri.toString();
      const { text, html } = await client.run<SettingsReport>('aide.settings', { uri });
      if (html === undefined) {
        await reports.showText('Aide: Effective Settings', text);
      } else {
        reports.showPage('Aide: Effective Settings', html);
      }
    },
    selectModel: () => chooseModel(client),
    pause: () => showMessage(client.run<Answer>(status.last?.state === 'paused' ? 'aide.resume' : 'aide.pause', {})),
    restart: () => client.restart(true),
    showLog: () => {
      client.log.show();
      return Promise.resolve();
    },
    complete: () => {
      waiting.atCursor();
      return waiting.request();
    },
    tryIt: () => tryIt(waiting),
    usePreset: (_, name) => usePreset(typeof name === 'string' ? name : null),
    menu: () => showMenu(context.extension.packageJSON, status),
  };
  const registered = Object.entries(table).map(([name, action]) =>
    commands.registerCommand(`aide.editor.${name}`, (given: unknown) => run(action, given, waiting)),
  );
  return [...registered, reports, troubleshooter, comparison];
}

/** Get another completion. It replaces the ghost text unless the user has moved on in the meantime. */
async function another(client: Client, command: string, place: Place): Promise<void> {
  const candidate = await withProgress(client.run<Candidate>(command, argument(place)));
  if (!candidate.insertText) {
    await showMessage(candidate);
  } else if (isAt(place)) {
    await showAnother();
  }
}

/**
 * Run an action, and show an error message if it fails. Afterwards the ghost text is shown again: the palette or a
 * list hid it.
 */
async function run(action: Action, given: unknown, waiting: Waiting): Promise<void> {
  const editor = window.activeTextEditor;
  try {
    await action(editor && placeOf(editor), given);
  } catch (error) {
    void window.showErrorMessage(`Aide: ${error instanceof Error ? error.message : String(error)}`);
  }
  await waiting.request();
}

function needed(place: Place | undefined): Place {
  if (place === undefined) {
    throw new Error('No file is open. Open one and put the cursor where you want a completion.');
  }
  return place;
}

