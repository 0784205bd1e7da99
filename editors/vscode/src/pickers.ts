/**
 * Commands that let the user choose: a preset, a complaint, a model, a command.
 * It holds no lists: the server tells what there is, the manifest tells the commands.
 */

import { commands, window, type QuickPickItem } from 'vscode';
import type { Client } from './client';
import { argument, patiently, tell } from './commands';
import { showAnother, type Place } from './ghost';
import type { Answer, Choice, Choices, Troubleshooting } from './protocol';
import type { Status } from './status';
import { trialText } from './trialText';

interface Named<T> extends QuickPickItem {
  value: T;
}

const NO_PRESET: Choice = { name: 'No preset', detail: 'Take the preset out of the project file.' };

export async function choosePreset(client: Client, place: Place): Promise<void> {
  const uri = place.document.uri.toString();
  const { presets } = await client.run<Choices>('aide.choices', { uri });
  const items = [...presets.map((choice) => named(choice, choice.name)), named<string | null>(NO_PRESET, null)];
  const chosen = await window.showQuickPick(items, {
    title: 'Aide: Choose Preset',
    placeHolder: 'It is written into the project file',
  });
  if (chosen !== undefined) {
    await tell(client.run<Answer>('aide.choosePreset', { uri, preset: chosen.value }));
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
    placeHolder: 'One with a cloud is downloaded first',
  });
  if (chosen !== undefined) {
    await tell(client.run<Answer>('aide.selectModel', { model: chosen.value }));
  }
}

export async function troubleshoot(client: Client, place: Place): Promise<void> {
  const { complaints } = await client.run<Choices>('aide.choices', { uri: place.document.uri.toString() });
  const items = complaints.map((choice) => named(choice, choice.name));
  const chosen = await window.showQuickPick(items, {
    title: 'Aide: Troubleshoot Completions',
    placeHolder: 'What is wrong with them?',
  });
  if (chosen === undefined) {
    return;
  }
  const complaint = { ...argument(place), complaint: chosen.value };
  const trial = await patiently(client.run<Troubleshooting>('aide.troubleshoot', complaint));
  const changes = Object.keys(trial.changes ?? {}).length > 0;
  const keep = 'Write to Project File';
  const answer = await window.showInformationMessage(
    changes ? 'Other parameters may help here.' : 'There is nothing left to change.',
    { modal: true, detail: trialText(trial) },
    ...(changes ? [keep] : []),
  );
  if (answer === keep) {
    const { written, notWritten } = await client.run<Troubleshooting>('aide.troubleshoot', { ...complaint, apply: true });
    await tell({ message: notWritten ?? (written ? `Written to ${written}.` : null) });
    await showAnother();
  }
}

interface ManifestCommand {
  command: string;
  title: string;
  icon: string;
}

/** All commands, under a line that tells the state. */
export async function showMenu(manifest: unknown, status: Status): Promise<void> {
  const { contributes } = manifest as { contributes: { commands: ManifestCommand[] } };
  const items = contributes.commands.map(({ command, title, icon }) => ({ label: `${icon} ${title}`, value: command }));
  const chosen = await window.showQuickPick(items, { title: 'Aide', placeHolder: status.summary });
  if (chosen !== undefined) {
    await commands.executeCommand(chosen.value);
  }
}

function named<T>({ name, detail, current }: Choice, value: T): Named<T> {
  return { label: name, detail, description: current === true ? 'current' : '', value };
}
