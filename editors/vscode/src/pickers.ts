/** Commands that let the user choose: a preset, a model. The server lists the choices. */

import { window, type QuickPickItem } from 'vscode';
import type { Client } from './client';
import { showAnother } from './ghost';
import { showMessage } from './messages';
import type { Place } from './place';
import { writeToProject } from './projectFile';
import type { Answer, Choice, Choices } from './protocol';

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
    if (await writeToProject(client, 'aide.choosePreset', { uri, preset: chosen.value })) {
      await showAnother();
    }
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

function named<T>({ name, detail, current }: Choice, value: T): Named<T> {
  return { label: name, detail, description: current === true ? 'current' : '', value };
}
