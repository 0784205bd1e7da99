/**
 * Types of the server's messages beyond the language server protocol. docs/server.md of Aide explains the values.
 */

export interface Parameters {
  temperature: number;
  topK: number;
  topP: number;
  numContext: number;
  seed: number | string | null;
}

/** The completion that is visible. */
export interface Shown {
  uri: string;
  seed: number;
  candidate: number;
  parameters: Parameters;
  pinned: boolean;
  /** Other files of the project that the model read; `lines`: "13-24, 37-48". */
  files: { path: string; lines: string }[];
}

/** What is in effect for the document of the last request or cursor. */
export interface DocumentState {
  uri: string;
  parameters: Parameters;
  preset: string | null;
  /** Why completions are off; null: they are on. */
  off: string | null;
  /** What turns them on again: `aide.setOff` for `file` or `language`, or whose settings must be changed. */
  offScope: 'file' | 'language' | 'user' | 'project' | 'editor' | 'secret' | 'engine' | null;
  /** The settings file with the rule. */
  offPath: string | null;
  problems: string[];
}

/** The server that runs the model, to which text is sent. */
export interface ModelServer {
  host: string;
  /** Whether it is on this machine: then no text leaves it. */
  loopback: boolean;
  /** "llama.cpp", "ollama", ...; "server": it has not said yet. */
  engine: string;
  /** Parameters that have no effect there. */
  ignored: (keyof Parameters)[];
  /** Whether one seed always gives the same completion. */
  replays: boolean;
  /** Why it gives no completions now; null: it does. */
  problem: string | null;
}

/** `aide/status`: the complete state, each time. */
export interface AideStatus {
  /** `missing`: the model is not on the disk, and the user has not agreed to its download. */
  state: 'starting' | 'loading' | 'missing' | 'ready' | 'failed' | 'paused';
  busy: boolean;
  message: string | null;
  percent: number | null;
  model: string;
  device: string | null;
  recipe: string | null;
  /** Whether the engine is shared with other editors, in a sentence; null: it was not to be. */
  shares: string | null;
  /** Null: the model runs in Aide's own process. */
  server: ModelServer | null;
  shown: Shown | null;
  nothing: { uri: string; reason: string; message: string } | null;
  document: DocumentState | null;
}

/** `aide/ready`: the answer to a request that the editor canceled is available, or the rest of one. */
export interface Ready {
  uri: string;
  version: number;
  position: { line: number; character: number };
  /** The first lines of it are visible. */
  more: boolean;
}

/** An answer that may be empty, with a message that says why. */
export interface Answer {
  reason?: string;
  message?: string | null;
}

export interface Candidate extends Answer {
  insertText: string;
  /** Among the candidates of the seed, from 0. */
  index?: number;
  count?: number;
}

/** The answer of a command that writes to the project file. */
export interface Written extends Answer {
  path: string | null;
  /** Nothing was written: this file would be created, in a folder that belongs to no project. */
  confirm?: string;
}

/** The answer of `aide.complete`. */
export interface Completed extends Candidate {
  parameters?: Record<string, unknown>;
}

export interface Choice {
  name: string;
  detail: string;
  current?: boolean;
}

export interface ModelChoice {
  id: string;
  detail: string;
  current: boolean;
  installed: boolean;
}

export interface Choices {
  presets: Choice[];
  complaints: Choice[];
  models: ModelChoice[];
}

interface Trial {
  parameters: Record<string, unknown>;
  text: string;
  message?: string;
}

export interface Troubleshooting extends Answer {
  changes?: Record<string, unknown>;
  reasons?: string[];
  bounds?: string[];
  before?: Trial;
  after?: Trial;
  written?: string | null;
  notWritten?: string;
  overridden?: string[];
}

export interface Explanation extends Answer {
  html?: string;
}

export interface SettingsReport {
  text: string;
  html?: string;
}
