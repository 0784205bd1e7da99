/**
 * Commands that let the user choose: a preset, a model, a command. The server lists the choices; the
 * manifest lists the commands.
 */

import { commands, window, type QuickPickItem } from 'vscode';
import type { Client } from './client';
import { showAnother } from './ghost';
import { showMessage } from './messages';
import type { Place } from './place';
import type { Answer, Choice, Choices } from './protocol';
import type { Status } from './status';

interface Named<T> extends QuickPickItem {
  value: T;
}

const NO_PRESET: Choice = { name: 'No preset', detail: 'Remove the preset from the project file' };

export async function choosePreset(client: Client, place: Place): Promise<void> {
  const uri = place.document.uri.toString();
  const { presets } = await client.run<Choices>('aide.choices', { uri });
  const items = [...presets.map((choice) => named(choice, choice.name)), named<string | null>(NO_PRESET, null)];
  const chosen = await window.showQuickPick(items, {
    title: 'Aide: Choose Preset',
    placeHolder: 'Your choice is written to the project file',
  });
  if (chosen !== undefined) {
    await showMessage(client.run<Answer>('aide.choosePreset', { uri, preset: chosen.value }));
    await showAnother();
  }
}

export async function chooseModel(client: Client): Promise<void> {
  const { models } = await client.run<Choices>('aide.choices', {});
  const items = models.map(({ id, detail, current, installed }) => ({
    ...named({ name: id, detail, current }, id),
    iconPath: undefined,
    label: `$(${installed ? 'package' : 'cloud-download'}) ${id}`,
  }));
  const chosen = await window.showQuickPick(items, {
    title: 'Aide: Select Model',
    placeHolder: 'Models with a cloud icon are downloaded first',
  });
  if (chosen !== undefined) {
    await showMessage(client.run<Answer>('aide.selectModel', { model: chosen.value }));
  }
}

interface ManifestCommand {
  command: string;
  title: string;
  icon: string;
}

interface Contributes {
  commands: ManifestCommand[];
  menus: { commandPalette: { command: string }[] };
}

/** Show all commands, with the current state as the placeholder. */
export async function showMenu(manifest: unknown, status: Status): Promise<void> {
  const { contributes } = manifest as { contributes: Contributes };
  // Those that belong to one view only are not in the palette either.
  const elsewhere = new Set(contributes.menus.commandPalette.map(({ command }) => command));
  const shown = contributes.commands.filter(({ command }) => !elsewhere.has(command));
  const items = shown.map(({ command, title, icon }) => ({ label: `${icon} ${title}`, value: command }));
  const chosen = await window.showQuickPick(items, { title: 'Aide', placeHolder: status.summary });
  if (chosen !== undefined) {
    await commands.executeCommand(chosen.value);
  }
}

function named<T>({ name, detail, current }: Choice, value: T): Named<T> {
  return { label: name, detail, description: current === true ? 'current' : '', value };
}
