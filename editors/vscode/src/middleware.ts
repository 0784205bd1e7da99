/** What the extension changes in the messages between VS Code and the server. */

import type { Middleware } from 'vscode-languageclient/node';
import { answer } from './configuration';
import { servedOnly } from './documents';
import { settingNames } from './languageSettings';
import type { Place } from './place';

export interface Observer {
  /** Called with each place where VS Code requests a completion. */
  requested: (place: Place) => void;
  /** Whether to leave out the progress in the status bar. */
  hidesProgress: () => boolean;
}

export function middleware(manifest: unknown, { requested, hidesProgress }: Observer): Middleware {
  const names = settingNames(manifest);
  return {
    ...servedOnly,
    handleWorkDoneProgress: (token, params, next) => {
      if (params.kind === 'end' || !hidesProgress()) {
        next(token, params);
      }
    },
    provideInlineCompletionItems: (document, position, context, token, next) => {
      requested({ document, version: document.version, position });
      return servedOnly.provideInlineCompletionItems(document, position, context, token, next);
    },
    workspace: {
      configuration: async (params, token, next) => {
        const answers = await next(params, token);
        return Array.isArray(answers) ? answer(params, answers, names) : answers;
      },
    },
  };
}
