/** Words messages. */

/** Say whose message it is, once. */
export function signed(message: string): string {
  return /^aide\b/i.test(message) ? message : `Aide: ${message}`;
}

/** Whether an answer came to nothing because the user went on, which they know. */
export function isOutdated(reason: string | undefined): boolean {
  return reason === 'superseded' || reason === 'cancelled' || reason === 'stale';
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
