/** Says whose message it is, once. */

export function signed(message: string): string {
  return /^aide\b/i.test(message) ? message : `Aide: ${message}`;
}
