/** Finds the server: the setting, PATH, then the private environment, which it offers to create. */

import { commands, window, workspace, type ExtensionContext, type LogOutputChannel } from 'vscode';
import { Environment } from './environment';
import { expandHome, findOnPath, isExecutable } from './executables';
import { FirstRun } from './firstRun';
import { gigabytes, MODEL_MB, SERVER_MB } from './sizes';

const DECLINED = 'aide.installationDeclined';
const SETTING = 'aide.server.path';
const CHOOSE = 'Choose aide-lsp…';

/** Why there is no server, worded for the user. */
export class NoServerError extends Error {}

/** How to search. */
export interface Search {
  /** Offer the installation even if the user declined before, because they want the server now. */
  ask: boolean;
  /** Called while the offer waits for an answer. */
  asking: () => void;
  /** Called when the user has accepted the offer. */
  installing: (firstRun: FirstRun) => void;
  log: LogOutputChannel;
}

/** Return the path of the server's program; offer to install it if there is none. undefined: the user declined. */
export async function findServer(context: ExtensionContext, search: Search): Promise<string | undefined> {
  const version = (context.extension.packageJSON as { version: string }).version;
  const files = context.asAbsolutePath('server');
  const environment = new Environment(context.globalStorageUri.fsPath, files, version);
  const found = fromSetting() ?? findOnPath('aide-lsp') ?? environment.server;
  return found ?? ((await agrees(context, search)) ? await install(environment, search) : undefined);
}

function fromSetting(): string | undefined {
  const given = workspace.getConfiguration('aide').get<string | null>('server.path');
  if (!given) {
    return undefined;
  }
  const server = expandHome(given);
  if (!isExecutable(server)) {
    throw new NoServerError(`${SETTING} is set to ${server}, which is not a program. Correct the setting, or clear it.`);
  }
  return server;
}

/** Ask the one question of the first run. */
async function agrees(context: ExtensionContext, { ask, asking }: Search): Promise<boolean> {
  if (!ask && context.globalState.get(DECLINED) === true) {
    return false;
  }
  asking();
  const choice = await window.showInformationMessage(
    `Aide completes code with a model on this machine. Install its server and the model? This downloads about ` +
      `${gigabytes(SERVER_MB + MODEL_MB)}, once; after that, nothing is downloaded or sent.`,
    'Install',
    CHOOSE,
    'Not Now',
  );
  await context.globalState.update(DECLINED, choice === 'Not Now');
  if (choice === CHOOSE) {
    await commands.executeCommand('workbench.action.openSettings', SETTING);
  }
  return choice === 'Install';
}

async function install(environment: Environment, { installing, log }: Search): Promise<string> {
  const firstRun = new FirstRun(true);
  installing(firstRun);
  return await environment.make({
    token: firstRun.token,
    log: (line) => { log.info(line); },
    step: (message) => { firstRun.step(message); },
  });
}
