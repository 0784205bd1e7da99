/**
 * Folds settings that the user made for one language, `"[python]": {"aide.topK": 40}`, into the table that
 * the server knows, `{"languages": {"python": {"topK": 40}}}`.
 * It does not know VS Code.
 */

export type Table = Record<string, unknown>;

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
