/** What the extension changes in the messages between VS Code and the server. */

import { InlineCompletionTriggerKind } from 'vscode';
import type { Middleware } from 'vscode-languageclient/node';
import { answer } from './configuration';
import { servedOnly } from './documents';
import { settingNames } from './languageSettings';
import type { Place } from './place';

export interface Observer {
  /** Called with each place where VS Code requests a completion. */
  requested: (place: Place, isExplicit: boolean) => void;
  /** Called when such a request was answered with a completion. */
  answered: (place: Place) => void;
  /** Called when a completion was accepted. */
  accepted: () => void;
  /** Whether to leave out the progress in the status bar. */
  hidesProgress: () => boolean;
}

export function middleware(manifest: unknown, { requested, answered, accepted, hidesProgress }: Observer): Middleware {
  const names = settingNames(manifest);
  return {
    ...servedOnly,
    handleWorkDoneProgress: (token, params, next) => {
      if (params.kind === 'end' || !hidesProgress()) {
        next(token, params);
      }
    },
    provideInlineCompletionItems: async (document, position, context, token, next) => {
      const place = { document, version: document.version, position };
      requested(place, context.triggerKind === InlineCompletionTriggerKind.Invoke);
      // To an explicit request the server answers with several candidates, and VS Code does not say which of them it
      // shows. So it gets one, and the extension's commands show the others.
      const one = { ...context, triggerKind: InlineCompletionTriggerKind.Automatic };
      const result = await servedOnly.provideInlineCompletionItems(document, position, one, token, next);
      if ((Array.isArray(result) ? result : (result?.items ?? [])).length > 0) {
        answered(place);
      }
      return result;
    },
    executeCommand: (command, args, next) => {
      if (command === 'aide.accepted') {
        accepted();
      }
      return next(command, args) as unknown;
    },
    workspace: {
      configuration: async (params, token, next) => {
        const answers = await next(params, token);
        return Array.isArray(answers) ? answer(params, answers, names) : answers;
      },
    },
  };
}
