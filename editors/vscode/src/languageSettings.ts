/**
 * What the user set, in the server's form. VS Code gives it per place and, for one language,
 * `"[python]": {"aide.topK": 40}`; the server takes `{"topK": 5, "languages": {"python": {"topK": 40}}}`.
 */

export type Table = Record<string, unknown>;
const PREFIX = 'aide.';
type Properties = Record<string, { scope?: string }>;

/** What `inspect` of VS Code's configuration returns; undefined: not set there. */
export interface Places {
  globalValue?: unknown;
  workspaceValue?: unknown;
  workspaceFolderValue?: unknown;
  globalLanguageValue?: unknown;
  workspaceLanguageValue?: unknown;
  workspaceFolderLanguageValue?: unknown;
}

/**
 * The names, without the section, of the manifest's settings that can be set for one language. Only the user can set
 * the others: a workspace must not reach them through a language either.
 */
export function settingNames(manifest: unknown): string[] {
  const { contributes } = manifest as { contributes: { configuration: { properties?: Properties }[] } };
  return contributes.configuration
    .flatMap(({ properties }) => Object.entries(properties ?? {}))
    .filter(([, { scope }]) => scope === 'language-overridable')
    .map(([key]) => key.slice(PREFIX.length));
}

/** What the user set for all languages, in the narrowest place; undefined: nothing. Never a default. */
export function valueSet(places: Places | undefined): unknown {
  return first(places?.workspaceFolderValue, places?.workspaceValue, places?.globalValue);
}

/** What the user set for the language that `places` are of; undefined: nothing. */
export function languageValueSet(places: Places | undefined): unknown {
  return first(places?.workspaceFolderLanguageValue, places?.workspaceLanguageValue, places?.globalLanguageValue);
}

/** The first that is set. If it is null or empty, as a list in the settings page says "none", nothing is set. */
function first(...values: unknown[]): unknown {
  const found = values.find((value) => value !== undefined);
  return found === null || found === '' ? undefined : found;
}

/** Add values set for languages to a section; values in its own `languages` table are kept. */
export function withLanguages(section: Table, perLanguage: Record<string, Table>): Table {
  if (Object.keys(perLanguage).length === 0) {
    return section;
  }
  const languages: Table = { ...asTable(section.languages) };
  for (const [language, values] of Object.entries(perLanguage)) {
    languages[language] = { ...asTable(languages[language]), ...values };
  }
  return { ...section, languages };
}

function asTable(value: unknown): Table {
  return typeof value === 'object' && value !== null ? (value as Table) : {};
}
