/** Finds programs on PATH and in virtual environments. */

import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

const isWindows = process.platform === 'win32';

/** Whether a path is an executable file. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Find a program. Relative folders in PATH are skipped: a workspace could put programs there. */
export function findOnPath(name: string, searchPath = process.env.PATH ?? ''): string | undefined {
  // Not .cmd or .bat: Node starts those only through a shell.
  const names = isWindows ? [`${name}.exe`] : [name];
  return searchPath
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder))
    .flatMap((folder) => names.map((file) => path.join(folder, file)))
    .find(isExecutable);
}

/** The path of a program in a virtual environment. */
export function inEnvironment(folder: string, name: string): string {
  return isWindows ? path.join(folder, 'Scripts', `${name}.exe`) : path.join(folder, 'bin', name);
}

/** Expand a leading `~`. */
export function expandHome(file: string): string {
  return file === '~' || file.startsWith('~/') ? path.join(homedir(), file.slice(1)) : file;
}
