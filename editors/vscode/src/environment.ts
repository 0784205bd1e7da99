/**
 * A private virtual environment with the server in the version of this extension. It is created with uv or, without
 * uv, Python's venv and pip, from the wheel and the pinned requirements in server/.
 */

import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { CancellationToken } from 'vscode';
import { findOnPath, inEnvironment, isExecutable } from './executables';

const OLDEST_PYTHON = [3, 11] as const;
const run = promisify(execFile);

/** How an installation logs, reports its steps, and is canceled. */
export interface Reporter {
  log: (line: string) => void;
  step: (message: string) => void;
  token: CancellationToken;
}

/** The user canceled the installation. */
export class CanceledError extends Error {}

export class Environment {
  private readonly folder: string;
  private readonly complete: string;

  /** `storage`: the folder for the extension's data. `files`: the folder with the wheel and the requirements. */
  constructor(
    private readonly storage: string,
    private readonly files: string,
    version: string,
  ) {
    this.folder = path.join(storage, `server-${version}`);
    this.complete = path.join(this.folder, 'complete');
  }

  /** The server's program; undefined if it is not installed, or its installation did not finish. */
  get server(): string | undefined {
    const server = inEnvironment(this.folder, 'aide-lsp');
    return existsSync(this.complete) && isExecutable(server) ? server : undefined;
  }

  /** Install the server from scratch, and remove the environments of other versions. */
  async make(reporter: Reporter): Promise<string> {
    await mkdir(this.storage, { recursive: true });
    for (const name of readdirSync(this.storage).filter((entry) => entry.startsWith('server-'))) {
      await rm(path.join(this.storage, name), { recursive: true, force: true });
    }
    const uv = findOnPath('uv');
    const steps = uv === undefined ? await this.pipSteps() : this.uvSteps(uv);
    for (const [message, program, ...options] of steps) {
      reporter.step(message);
      await runLogged(program, options, reporter);
    }
    // Last: an installation that was interrupted must not be taken for a server.
    await writeFile(this.complete, '');
    const server = this.server;
    if (server === undefined) {
      throw new Error(`The installation succeeded, but there is no aide-lsp in ${this.folder}.`);
    }
    return server;
  }

  private uvSteps(uv: string): Step[] {
    const python = inEnvironment(this.folder, 'python');
    const install = [uv, 'pip', 'install', '--python', python] as const;
    return [
      ['Creating the environment', uv, 'venv', '--python', `>=${OLDEST_PYTHON.join('.')}`, this.folder],
      ['Installing the runtime', ...install, '--require-hashes', '-r', this.requirements],
      ['Installing the server', ...install, '--no-deps', this.wheel],
    ];
  }

  private async pipSteps(): Promise<Step[]> {
    const python = inEnvironment(this.folder, 'python');
    const install = [python, '-m', 'pip', 'install', '--disable-pip-version-check'] as const;
    return [
      ['Creating the environment', await findPython(), '-m', 'venv', this.folder],
      ['Installing the runtime', ...install, '--require-hashes', '-r', this.requirements],
      ['Installing the server', ...install, '--no-deps', this.wheel],
    ];
  }

  private get requirements(): string {
    return path.join(this.files, 'requirements.txt');
  }

  private get wheel(): string {
    const wheel = readdirSync(this.files).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) {
      throw new Error(`This build of the extension does not include the server: there is no wheel in ${this.files}.`);
    }
    return path.join(this.files, wheel);
  }
}

type Step = [message: string, program: string, ...options: string[]];

async function findPython(): Promise<string> {
  for (const name of ['python3', 'python']) {
    const python = findOnPath(name);
    if (python !== undefined && (await isNewEnough(python))) {
      return python;
    }
  }
  const oldest = OLDEST_PYTHON.join('.');
  throw new Error(`Neither uv nor Python ${oldest} or newer was found on PATH. Install one of them and try again.`);
}

async function isNewEnough(python: string): Promise<boolean> {
  // -I: no variable and no module of the current folder takes part. Debian's Python lacks ensurepip by default.
  const question = `import sys, venv, ensurepip; sys.exit(sys.version_info < (${OLDEST_PYTHON.join(', ')}))`;
  try {
    await run(python, ['-I', '-c', question]);
    return true;
  } catch {
    return false;
  }
}

/** Run a program and log its output. If it fails, the last line becomes the error message. */
function runLogged(program: string, options: string[], { log, token }: Reporter): Promise<void> {
  log(`${program} ${options.join(' ')}`);
  // uv ships its own certificates; a network with a private one has it in the system's store. The variables that are
  // removed would lead one Python to the library of another.
  const env = { UV_SYSTEM_CERTS: '1', ...process.env, PYTHONHOME: undefined, PYTHONPATH: undefined };
  return new Promise((resolve, reject) => {
    const child = spawn(program, options, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const cancel = token.onCancellationRequested(() => child.kill());
    let last = '';
    const read = (chunk: Buffer): void => {
      for (const line of chunk.toString().split(/\r?\n/).filter(Boolean)) {
        log(line);
        last = line;
      }
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('close', (code) => {
      cancel.dispose();
      if (code === 0) {
        resolve();
      } else if (token.isCancellationRequested) {
        reject(new CanceledError());
      } else {
        reject(new Error(`${path.basename(program)} failed: ${last}`));
      }
    });
  });
}
