/** Activates the extension and connects its parts. */

import { window, type ExtensionContext } from 'vscode';
import { Client } from './client';
import { registerCommands } from './commands';
import { followCursor } from './cursor';
import { Status } from './status';

let client: Client | undefined;

export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel('Aide', { log: true });
  const status = new Status();
  client = new Client(context, status, log);
  context.subscriptions.push(log, status, client, ...registerCommands(context, client, status));
  context.subscriptions.push(followCursor((place) => { client?.notify('aide/cursor', place); }));
  // Not awaited: it may wait for the user's answer.
  void client.start(false);
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}
