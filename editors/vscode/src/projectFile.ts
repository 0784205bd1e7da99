/** Writes to the project file. Where it would create one in a folder that is no project, the user is asked first. */

import { window } from 'vscode';
import type { Client } from './client';
import { showMessage } from './messages';
import type { Written } from './protocol';
import { signed } from './signed';

const CREATE = 'Create File';

/** Run a command that writes to the project file, and show what it says. Returns whether it wrote. */
export async function writeToProject(client: Client, command: string, argument: object): Promise<boolean> {
  let answer = await client.run<Written>(command, argument);
  if (answer.confirm) {
    const choice = await window.showInformationMessage(signed(answer.message ?? `Create ${answer.confirm}?`), CREATE);
    if (choice !== CREATE) {
      return false;
    }
    answer = await client.run<Written>(command, { ...argument, create: true });
  }
  await showMessage(answer);
  return answer.path !== null;
}
