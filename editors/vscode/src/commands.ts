/**
 * The commands of the palette. Each runs a command of the server at the cursor and shows the answer; those that
 * ask the user to choose are in `pickers.ts`.
 */

import { commands, window, type Disposable } from 'vscode';
import { Another } from './another';
import type { Client } from './client';
import { Comparison } from './compare';
import { showMenu } from './menu';
import { showMessage, withProgress } from './messages';
import { openFile } from './files';
import { chooseModel, choosePreset } from './pickers';
import { argument, placeOf, type Place } from './place';
import { writeToProject } from './projectFile';
import type { Answer, Explanation, SettingsReport } from './protocol';
import { Reports } from './reports';
import { messageOf, signed } from './signed';
import type { Status } from './status';
import { documentOf } from './statusText';
import { Troubleshooter } from './troubleshoot';
import type { Waiting } from './waiting';
import { tryIt, usePreset } from './walkthrough';

const SNOOZE_MINUTES = 5;

type Action = (place: Place | undefined, argument: unknown) => Promise<void>;

export function registerCommands(
  client: Client,
  status: Status,
  waiting: Waiting,
): Pick<Disposable, 'dispose'>[] {
  const another = new Another(client);
  const reports = new Reports();
  const troubleshooter = new Troubleshooter(client);
  const comparison = new Comparison(client);
  const table: Record<string, Action> = {
    complete: () => {
      waiting.atCursor();
      return waiting.request();
    },
    nextCandidate: (place) => another.show('aide.candidate', needed(place), { step: 1 }),
    previousCandidate: (place) => another.show('aide.candidate', needed(place), { step: -1 }),
    regenerate: (place) => another.show('aide.regenerate', needed(place)),
    previousSeed: (place) => another.show('aide.previousSeed', needed(place)),
    pinSeed: async (place) => {
      await writeToProject(client, 'aide.pinSeed', argument(needed(place)));
    },
    unpinSeed: async (place) => {
      await writeToProject(client, 'aide.unpinSeed', argument(needed(place)));
    },
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
    snooze: () => showMessage(client.run<Answer>('aide.snooze', { minutes: SNOOZE_MINUTES })),
    offLanguage: (place) => turn(client, status, needed(place), 'language'),
    offFile: (place) => turn(client, status, needed(place), 'file'),
    fetchModel: () => showMessage(client.run<Answer>('aide.fetchModel', {})),
    restart: () => client.restart(true),
    showLog: () => {
      client.log.show();
      return Promise.resolve();
    },
    openFile: (_, file) => openFile(file),
    tryIt: () => tryIt(waiting),
    usePreset: (_, name) => usePreset(typeof name === 'string' ? name : null),
    menu: () => showMenu(status, another.canGoBack),
  };
  const registered = Object.entries(table).map(([name, action]) =>
    commands.registerCommand(`aide.editor.${name}`, (given: unknown) => run(action, given, waiting)),
  );
  return [...registered, reports, troubleshooter, comparison];
}

/** Turn completions off in the user's settings, or on again if they are off. */
async function turn(client: Client, status: Status, place: Place, scope: 'file' | 'language'): Promise<void> {
  const off = documentOf(status.situation)?.off == null;
  await showMessage(client.run<Answer>('aide.setOff', { uri: place.document.uri.toString(), scope, off }));
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
    void window.showErrorMessage(signed(messageOf(error)));
  }
  await waiting.request();
}

function needed(place: Place | undefined): Place {
  if (place === undefined) {
    throw new Error('No file is open. Open one and put the cursor where you want a completion.');
  }
  return place;
}

