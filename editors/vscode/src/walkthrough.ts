/** What the steps of the walkthrough run. */

import { ConfigurationTarget, Position, Selection, window, workspace } from 'vscode';
import type { Waiting } from './waiting';

const SAMPLE = `"""Prices of an order."""


def total(prices):
    return sum(prices)


def average(prices):
    `;

/** Open a new file in which a completion is due, and request it. */
export async function tryIt(waiting: Waiting): Promise<void> {
  const document = await workspace.openTextDocument({ language: 'python', content: SAMPLE });
  const editor = await window.showTextDocument(document);
  const end = document.lineAt(document.lineCount - 1).range.end;
  editor.selection = new Selection(end, end);
  editor.revealRange(editor.selection);
  waiting.at({ document, version: document.version, position: new Position(end.line, end.character) });
  await waiting.request();
}

/** Choose a preset for all files; null: none. */
export async function usePreset(name: string | null): Promise<void> {
  await workspace.getConfiguration('aide').update('preset', name ?? undefined, ConfigurationTarget.Global);
  const text =
    name === null
      ? 'No preset is set in your settings anymore. Those that projects set apply.'
      : `Your settings now use the preset "${name}", in all your projects.`;
  void window.showInformationMessage(`Aide: ${text}`);
}
