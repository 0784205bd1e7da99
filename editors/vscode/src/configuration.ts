/**
 * Answers the server's configuration requests with what the user set, for all languages and for one. Defaults are
 * left out: the server has its own, and would take these for the user's, which override `.aide.toml`.
 */

import { Uri, workspace, type ConfigurationScope } from 'vscode';
import type { ConfigurationParams } from 'vscode-languageclient/node';
import { languageValueSet, valueSet, withLanguages, type Places, type Table } from './languageSettings';

const SECTION = 'aide';
/** What only the extension reads. */
const OURS = 'server';

/** Replace VS Code's answers about Aide's section. `names`: the settings that can be set for one language. */
export function answer(params: ConfigurationParams, answers: unknown[], names: string[]): unknown[] {
  return params.items.map((item, index) => {
    const section = answers[index];
    if (item.section !== SECTION || typeof section !== 'object' || section === null) {
      return section;
    }
    const scope = item.scopeUri === undefined ? undefined : Uri.parse(item.scopeUri);
    // Names that the manifest does not have are among them: the server says that they are unknown.
    return withLanguages(set(Object.keys(section), scope), perLanguage(names, scope));
  });
}

function set(names: string[], scope: Uri | undefined): Table {
  const values = names
    .filter((name) => name !== OURS)
    .map((name): [string, unknown] => [name, valueSet(inspect(name, scope))]);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

function perLanguage(names: string[], uri: Uri | undefined): Record<string, Table> {
  const found: Record<string, Table> = {};
  for (const name of names) {
    for (const languageId of inspect(name, uri)?.languageIds ?? []) {
      // Only with a language in the scope are its values there.
      const value = languageValueSet(inspect(name, { uri, languageId }));
      if (value !== undefined) {
        (found[languageId] ??= {})[name] = value;
      }
    }
  }
  return found;
}

function inspect(name: string, scope: ConfigurationScope | undefined): (Places & { languageIds?: string[] }) | undefined {
  return workspace.getConfiguration(SECTION, scope).inspect(name);
}
