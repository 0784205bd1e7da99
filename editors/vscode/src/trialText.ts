/** Words the server's answer to troubleshooting. */

import type { Troubleshooting } from './protocol';

/** The change of parameters, as the title of the difference. */
export function changesText({ changes, before }: Troubleshooting): string {
  return Object.entries(changes ?? {})
    .map(([key, value]) => `${label(key)} ${written(before?.parameters[key])} → ${written(value)}`)
    .join(', ');
}

/** The reasons in one paragraph. */
export function reasonsText(trial: Troubleshooting): string {
  const { changes, reasons, bounds, before, after, message } = trial;
  const none = Object.keys(changes ?? {}).length === 0;
  const same = before !== undefined && before.text !== '' && before.text === after?.text && !none;
  return [
    none ? 'No parameter is left to change.' : '',
    ...(reasons ?? []),
    ...(bounds ?? []),
    message ? `No completion to compare: ${message}` : '',
    before?.message && !same ? `Before: ${before.message}` : '',
    after?.message && !same ? `After: ${after.message}` : '',
    same ? 'Here, with this seed, the completion stays the same.' : '',
  ]
    .filter(Boolean)
    .join(' ');
}

/** A parameter as the documentation writes it: topK -> Top K. */
export function label(key: string): string {
  const words = key.replace(/([A-Z])/g, ' $1');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function written(value: unknown): string {
  return typeof value === 'number' ? `${value}` : 'random';
}
