/**
 * Answers the server's configuration requests: VS Code's values, plus those set for one language, which VS Code
 * leaves out. The manifest lists the settings; the server interprets them.
 */

import { Uri, workspace, type ConfigurationScope } from 'vscode';
import type { ConfigurationParams } from 'vscode-languageclient/node';
import { withLanguages, type Table } from './languageSettings';

const SECTION = 'aide';

/** Add the values set for languages to VS Code's answers. */
export function answer(params: ConfigurationParams, answers: unknown[], names: string[]): unknown[] {
  return params.items.map((item, index) => {
    const section = answers[index];
    if (item.section !== SECTION || typeof section !== 'object' || section === null) {
      return section;
    }
    const scope = item.scopeUri === undefined ? undefined : Uri.parse(item.scopeUri);
    return withLanguages(section as Table, perLanguage(names, scope));
  });
}

function perLanguage(names: string[], uri: Uri | undefined): Record<string, Table> {
  const found: Record<string, Table> = {};
  for (const name of names) {
    for (const languageId of workspace.getConfiguration(SECTION, uri).inspect(name)?.languageIds ?? []) {
      const value = languageValue(name, { uri, languageId });
      if (value !== undefined && value !== null) {
        (found[languageId] ??= {})[name] = value;
      }
    }
  }
  return found;
}

function languageValue(name: string, scope: ConfigurationScope): unknown {
  // Only with a language in the scope does `inspect` return the values for it. The most specific one applies.
  const found = workspace.getConfiguration(SECTION, scope).inspect(name);
  return found?.workspaceFolderLanguageValue ?? found?.workspaceLanguageValue ?? found?.globalLanguageValue;
}
