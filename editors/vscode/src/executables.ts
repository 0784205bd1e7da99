/**
 * Finds programs on PATH. It does not know what they are for.
 */

import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

const isWindows = process.platform === 'win32';

/** A file that can be run. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Look a program up. Folders that are not absolute are passed over: a workspace could put programs there. */
export function findOnPath(name: string, searchPath = process.env.PATH ?? ''): string | undefined {
  const names = isWindows ? [`${name}.exe`] : [name];
  return searchPath
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder))
    .flatMap((folder) => names.map((file) => path.join(folder, file)))
    .find(isExecutable);
}

/** Where a virtual environment keeps a program. */
export function inEnvironment(folder: string, name: string): string {
  return isWindows ? path.join(folder, 'Scripts', `${name}.exe`) : path.join(folder, 'bin', name);
}

/** A path as users write it. */
export function expandHome(file: string): string {
  return file === '~' || file.startsWith('~/') ? path.join(homedir(), file.slice(1)) : file;
}
