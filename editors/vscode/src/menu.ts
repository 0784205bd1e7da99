/** The menu of the status bar item: what can be done now, in groups, with the current values. */

import { commands, QuickPickItemKind, window, type QuickPickItem } from 'vscode';
import { actions, type Action } from './actions';
import type { Status } from './status';

interface Entry extends QuickPickItem {
  action?: Action;
}

export async function showMenu(status: Status, canGoBack: boolean): Promise<void> {
  const chosen = await window.showQuickPick(entries(actions(status.situation, canGoBack)), {
    title: 'Aide',
    placeHolder: status.summary,
  });
  if (chosen?.action !== undefined) {
    await commands.executeCommand(chosen.action.command, ...(chosen.action.args ?? []));
  }
}

function entries(available: Action[]): Entry[] {
  const groups = [...new Set(available.map(({ group }) => group))];
  return groups.flatMap((group) => [
    { label: group, kind: QuickPickItemKind.Separator },
    ...available
      .filter((action) => action.group === group)
      .map((action) => ({ label: `$(${action.icon}) ${action.text}`, description: action.current ?? '', action })),
  ]);
}
