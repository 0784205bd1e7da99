/** Activates the extension and connects its parts. */

import { window, type ExtensionContext } from 'vscode';
import { Client } from './client';
import { registerCommands } from './commands';
import { followCursor } from './cursor';
import { argument } from './place';
import { Status } from './status';
import { Waiting } from './waiting';

let client: Client | undefined;

export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel('Aide', { log: true });
  const status = new Status();
  const waiting = new Waiting();
  client = new Client(context, status, waiting, log);
  context.subscriptions.push(log, status, waiting, client, ...registerCommands(client, status, waiting));
  const cursor = followCursor({
    moved: (place, exact) => { client?.notify('aide/cursor', { ...argument(place), exact }); },
    edited: (place) => { waiting.at(place); },
  });
  context.subscriptions.push(cursor);
  client.isReady = cursor.again;
  // Not awaited: it may wait for the user's answer.
  void client.start(false);
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}
