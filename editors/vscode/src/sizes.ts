/** What a first installation downloads, for the question before it. Tests compare both with what is installed. */

/** The wheels of the server's requirements, in MB. */
export const SERVER_MB = 290;
/** The default model, in MB. */
export const MODEL_MB = 491;

/** A size as people compare it with their disk and their line. */
export function gigabytes(megabytes: number): string {
  return `${(megabytes / 1000).toFixed(1)} GB`;
}
