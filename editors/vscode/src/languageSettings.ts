/**
 * Converts settings for one language, `"[python]": {"aide.topK": 40}`, to the server's form,
 * `{"languages": {"python": {"topK": 40}}}`.
 */

export type Table = Record<string, unknown>;
const PREFIX = 'aide.';
type Properties = Record<string, { scope?: string }>;

/**
 * The names, without the section, of the manifest's settings that can be set for one language. Only the user can set
 * the others: a workspace must not reach them through a language either.
 */
export function settingNames(manifest: unknown): string[] {
  const { contributes } = manifest as { contributes: { configuration: { properties?: Properties } } };
  return Object.entries(contributes.configuration.properties ?? {})
    .filter(([, { scope }]) => scope === 'language-overridable')
    .map(([key]) => key.slice(PREFIX.length));
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
