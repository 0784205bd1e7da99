/** What the status bar needs to know about the document of the active editor. */

import { extensions, window } from 'vscode';
import { unservedReason } from './documents';
import type { Active } from './statusText';

interface Manifest {
  contributes?: { languages?: { id: string; aliases?: string[] }[] };
}

export function activeDocument(): Active | null {
  const document = window.activeTextEditor?.document;
  return document === undefined
    ? null
    : { uri: document.uri.toString(), language: languageName(document.languageId), unserved: unservedReason(document) };
}

const names = new Map<string, string>();

/** The name of a language as VS Code shows it: "TypeScript JSX" for typescriptreact. */
function languageName(id: string): string {
  let name = names.get(id);
  if (name === undefined) {
    const found = extensions.all
      .flatMap(({ packageJSON }) => (packageJSON as Manifest).contributes?.languages ?? [])
      .find((language) => language.id === id && (language.aliases?.length ?? 0) > 0);
    name = found?.aliases?.[0] ?? (id === 'plaintext' ? 'Plain Text' : id); // no extension brings that one
    names.set(id, name);
  }
  return name;
}
