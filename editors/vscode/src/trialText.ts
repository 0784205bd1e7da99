/** Words the server's answer to troubleshooting as paragraphs. */

import type { Troubleshooting } from './protocol';

const LONGEST = 400;

export function trialText(trial: Troubleshooting): string {
  const changes = Object.entries(trial.changes ?? {}).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return [
    changes.join('\n'),
    [...(trial.reasons ?? []), ...(trial.bounds ?? [])].join('\n'),
    trial.message ?? '',
    trial.before === undefined ? '' : `Before:\n${completion(trial.before)}`,
    trial.after === undefined ? '' : `After:\n${completion(trial.after)}`,
  ]
    .filter(Boolean)
    .join('\n\n');
}

function completion({ text, message }: NonNullable<Troubleshooting['before']>): string {
  if (text === '') {
    return message ?? 'nothing';
  }
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text;
}
