/** Finds the server: the setting, PATH, then the private environment, which it offers to create. */

import { commands, ProgressLocation, window, workspace, type ExtensionContext, type LogOutputChannel } from 'vscode';
import { Environment } from './environment';
import { expandHome, findOnPath, isExecutable } from './executables';

const DECLINED = 'aide.installationDeclined';
const SETTING = 'aide.server.path';
const CHOOSE = 'Choose aide-lsp…';

/** Why there is no server, worded for the user. */
export class NoServerError extends Error {}

/** How to search. */
export interface Search {
  /** Offer the installation even if the user declined before, because they want the server now. */
  ask: boolean;
  /** Called with what is missing while the offer waits for an answer. */
  asking: (missing: string) => void;
  log: LogOutputChannel;
}

/** Return the path of the server's program; offer to install it if there is none. */
export async function findServer(context: ExtensionContext, search: Search): Promise<string> {
  const version = (context.extension.packageJSON as { version: string }).version;
  const files = context.asAbsolutePath('server');
  const environment = new Environment(context.globalStorageUri.fsPath, files, version);
  const found = fromSetting() ?? findOnPath('aide-lsp') ?? environment.server;
  return found ?? (await install(context, environment, search));
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

async function install(
  context: ExtensionContext,
  environment: Environment,
  { ask, asking, log }: Search,
): Promise<string> {
  const missing = 'The language server aide-lsp was not found on PATH. "Aide: Restart Server" offers to install it.';
  if (!ask && context.globalState.get(DECLINED) === true) {
    throw new NoServerError(missing);
  }
  asking(missing);
  const choice = await window.showInformationMessage(
    'Aide needs its language server, aide-lsp, which was not found. Install it into a private environment of this ' +
      'extension? This downloads about 0.4 GB, once.',
    'Install',
    CHOOSE,
    'Not Now',
  );
  await context.globalState.update(DECLINED, choice === 'Not Now');
  if (choice === CHOOSE) {
    await commands.executeCommand('workbench.action.openSettings', SETTING);
  }
  if (choice !== 'Install') {
    throw new NoServerError(missing);
  }
  return await window.withProgress(
    { location: ProgressLocation.Notification, title: 'Aide', cancellable: true },
    (progress, token) =>
      environment.make({
        token,
        log: (line) => { log.info(line); },
        step: (message) => { progress.report({ message }); },
      }),
  );
}
