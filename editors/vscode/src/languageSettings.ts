/**
 * Folds settings that the user made for one language, `"[python]": {"aide.topK": 40}`, into the table that
 * the server knows, `{"languages": {"python": {"topK": 40}}}`.
 * It does not know VS Code.
 */

export type Table = Record<string, unknown>;
const PREFIX = 'aide.';
type Properties = Record<string, { scope?: string }>;

/**
 * The settings of the manifest that can be made for one language, by their names without the section's. The
 * others are the user's alone: a workspace cannot bring them in by a language either.
 */
export function settingNames(manifest: unknown): string[] {
  const { contributes } = manifest as { contributes: { configuration: { properties?: Properties } } };
  return Object.entries(contributes.configuration.properties ?? {})
    .filter(([, { scope }]) => scope === 'language-overridable')
    .map(([key]) => key.slice(PREFIX.length));
}

/** Add what was set for languages to a section; nothing that was set by itself is lost. */
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
