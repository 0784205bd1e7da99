/**
 * Types of the server's messages beyond the language server protocol. docs/server.md of Aide explains the values.
 */

export interface Shown {
  uri: string;
  seed: number;
  candidate: number;
  pinned: boolean;
}

/** `aide/status`: the complete state, each time. */
export interface AideStatus {
  state: 'starting' | 'loading' | 'ready' | 'failed' | 'paused';
  busy: boolean;
  message: string | null;
  percent: number | null;
  model: string;
  device: string | null;
  recipe: string | null;
  shown: Shown | null;
  nothing: { reason: string; message: string } | null;
}

/** `aide/ready`: the answer to a request that the editor canceled is available. */
export interface Ready {
  uri: string;
  version: number;
  position: { line: number; character: number };
}

/** An answer that may be empty, with a message that says why. */
export interface Answer {
  reason?: string;
  message?: string | null;
}

export interface Candidate extends Answer {
  insertText: string;
}

export interface Written extends Answer {
  path: string | null;
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
