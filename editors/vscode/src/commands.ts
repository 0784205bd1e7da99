/**
 * The palette's commands: each sends the server's command for the place of the cursor and shows the answer.
 * It does not know what the server does for a command; what needs choosing is in `pickers.ts`.
 */

import { commands, ProgressLocation, window, type Disposable, type ExtensionContext } from 'vscode';
import type { Client } from './client';
import { isAt, placeOf, showAnother, type Place } from './ghost';
import { chooseModel, choosePreset, showMenu, troubleshoot } from './pickers';
import type { Answer, Candidate, Explanation } from './protocol';
import { Reports } from './reports';
import type { Status } from './status';

export function registerCommands(context: ExtensionContext, client: Client, status: Status): Pick<Disposable, 'dispose'>[] {
  const reports = new Reports();
  const table: Record<string, (place: Place | undefined) => Promise<void>> = {
    regenerate: (place) => another(client, 'aide.regenerate', needed(place)),
    previousSeed: (place) => another(client, 'aide.previousSeed', needed(place)),
    pinSeed: (place) => tell(client.run<Answer>('aide.pinSeed', argument(needed(place)))),
    unpinSeed: (place) => tell(client.run<Answer>('aide.unpinSeed', argument(needed(place)))),
    choosePreset: (place) => choosePreset(client, needed(place)),
    troubleshoot: (place) => troubleshoot(client, needed(place)),
    explain: async (place) => {
      const explanation = await patiently(client.run<Explanation>('aide.explain', argument(needed(place))));
      if (explanation.html === undefined) {
        await tell(explanation);
      } else {
        reports.showPage('Aide: Explanation', explanation.html);
      }
    },
    settings: async (place) => {
      const uri = place?.document.uri.toString();
      const { text } = await client.run<{ text: string }>('aide.settings', { uri });
      await reports.showText('Aide: Effective Settings', text);
    },
    selectModel: () => chooseModel(client),
    pause: () => tell(client.run<Answer>(status.last?.state === 'paused' ? 'aide.resume' : 'aide.pause', {})),
    restart: () => client.restart(true),
    showLog: () => {
      client.log.show();
      return Promise.resolve();
    },
    menu: () => showMenu(context.extension.packageJSON, status),
  };
  const registered = Object.entries(table).map(([name, action]) =>
    commands.registerCommand(`aide.editor.${name}`, () => shown(action)),
  );
  return [...registered, reports];
}

/** What the server's commands about a place take. */
export function argument(place: Place): object {
  const { line, character } = place.position;
  return { uri: place.document.uri.toString(), position: { line, character } };
}

/** Show an answer's sentence, if it has one. */
export async function tell(answer: Answer | Promise<Answer>): Promise<void> {
  const { message } = await answer;
  if (message) {
    void window.showInformationMessage(`Aide: ${message}`);
  }
}

/** Wait for what may take seconds, and show that we do. */
export function patiently<T>(work: Promise<T>): Promise<T> {
  return Promise.resolve(window.withProgress({ location: ProgressLocation.Window, title: 'Aide' }, () => work));
}

/** Make or fetch another completion; it replaces the ghost text unless the user went on meanwhile. */
async function another(client: Client, command: string, place: Place): Promise<void> {
  const candidate = await patiently(client.run<Candidate>(command, argument(place)));
  if (!candidate.insertText) {
    await tell(candidate);
  } else if (isAt(place)) {
    await showAnother();
  }
}

/** Run an action; a fault becomes a sentence. */
async function shown(action: (place: Place | undefined) => Promise<void>): Promise<void> {
  const editor = window.activeTextEditor;
  try {
    await action(editor && placeOf(editor));
  } catch (error) {
    void window.showErrorMessage(`Aide: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function needed(place: Place | undefined): Place {
  if (place === undefined) {
    throw new Error('Open a file and put the cursor where the completion belongs.');
  }
  return place;
}

