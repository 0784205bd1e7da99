/** The schemes of documents that people write, and why nothing is completed in others. */

/** Of all other schemes, those of file systems that can be written to are served: `isWritable` says which. */
const WRITTEN = new Set([
  'file',
  'untitled',
  'vscode-notebook-cell',
  'vscode-interactive-input',
  'vscode-userdata',
  'vscode-remote',
  'vscode-vfs',
]);

/**
 * Why nothing is completed in a document, as a sentence; null: completions are offered.
 * `isWritable`: whether its file system can be written to; undefined: there is no file system for the scheme.
 */
export function reasonFor(scheme: string, languageId: string, isWritable: boolean | undefined): string | null {
  // A log that is open grows with every line that is written to it.
  if (languageId === 'log') {
    return 'Aide does not complete in logs.';
  }
  if (WRITTEN.has(scheme) || isWritable === true) {
    return null;
  }
  // No file system provides the output of programs, search results, or reports.
  return isWritable === false
    ? 'Aide does not complete in read-only documents.'
    : 'Aide does not complete here: this document is not a file.';
}
