/** Words messages. */

/** Say whose message it is, once. */
export function signed(message: string): string {
  return /^aide\b/i.test(message) ? message : `Aide: ${message}`;
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
