/** Which documents Aide completes in: those in which people write. The one place that decides it. */

import { workspace, type TextDocument } from 'vscode';
import type { Middleware } from 'vscode-languageclient/node';
import { reasonFor } from './schemes';

/** Why nothing is completed in a document, as a sentence; null: completions are offered. */
export function unservedReason({ uri, languageId }: TextDocument): string | null {
  return reasonFor(uri.scheme, languageId, workspace.fs.isWritableFileSystem(uri.scheme));
}

/**
 * Keeps documents that are not served from the server. A document selector could not: it would have to name the
 * schemes of file systems that extensions bring.
 */
export const servedOnly = {
  didOpen: async (document, next) => {
    await (unservedReason(document) === null ? next(document) : undefined);
  },
  didChange: async (event, next) => {
    await (unservedReason(event.document) === null ? next(event) : undefined);
  },
  didClose: async (document, next) => {
    await (unservedReason(document) === null ? next(document) : undefined);
  },
  provideInlineCompletionItems: (document, position, context, token, next) =>
    unservedReason(document) === null ? next(document, position, context, token) : undefined,
} satisfies Middleware;
