/** Words the state for the status bar: its icon, and the sentences of its tooltip. */

import type { AideStatus, DocumentState, ModelServer, Parameters, Shown } from './protocol';
import { gigabytes, MODEL_MB, SERVER_MB } from './sizes';

/** State of the server's process. */
export type Phase = 'absent' | 'starting' | 'installing' | 'running' | 'stopped' | 'failed';

/** The document of the active editor. */
export interface Active {
  uri: string;
  /** Name of its language, as VS Code shows it. */
  language: string;
  /** Why it is not sent to the server; null: it is. */
  unserved: string | null;
}

/** All that the status bar and the menu are made from. */
export interface Situation {
  phase: Phase;
  /** Why the server is not there, or what its installation does. */
  detail: string | null;
  /** The last state that the server sent. */
  status: AideStatus | null;
  active: Active | null;
}

export interface StatusText {
  icon: string;
  isError: boolean;
  isWarning: boolean;
  /** What the status bar shows: "Aide", and the machine that text is sent to. */
  name: string;
  /** "Aide: ready". */
  state: string;
  /** Plain sentences. */
  sentences: string[];
  /** Name and value of each parameter in effect for the active document; empty if it is not known. */
  parameters: [string, string][];
  problems: string[];
}

const NAME = 'Aide';

const NAMES: Record<AideStatus['state'], string> = {
  starting: 'starting',
  loading: 'loading the model',
  missing: 'the model is not downloaded',
  ready: 'ready',
  failed: 'no model loaded',
  paused: 'paused',
};

const ICONS: Record<AideStatus['state'], string> = {
  starting: 'loading~spin',
  loading: 'loading~spin',
  missing: 'cloud-download',
  ready: 'sparkle',
  failed: 'error',
  paused: 'debug-pause',
};

/** Reasons that do not hold anymore when the model is ready. */
const OF_THE_STATE = new Set(['loading', 'missing', 'failed', 'server', 'paused']);
const ABSENT = `Completions need a server and a model on this machine: ${gigabytes(SERVER_MB + MODEL_MB)}, downloaded once.`;

export function statusText(situation: Situation): StatusText {
  const { phase, status, detail } = situation;
  const plain = { isError: false, isWarning: false, name: NAME, sentences: detail === null ? [] : [detail], parameters: [], problems: [] };
  switch (phase) {
    case 'absent':
      return { ...plain, icon: 'cloud-download', state: 'Aide: not installed', sentences: [ABSENT] };
    case 'failed':
      return { ...plain, icon: 'error', isError: true, state: 'Aide: not running' };
    case 'stopped':
      return { ...plain, icon: 'error', state: 'Aide: not running', sentences: ['The server was stopped.'] };
    case 'installing':
      return { ...plain, icon: 'loading~spin', state: 'Aide: installing' };
    case 'starting':
      return { ...plain, icon: 'loading~spin', state: 'Aide: starting', sentences: [] };
    case 'running':
      return status === null
        ? { ...plain, icon: 'loading~spin', state: 'Aide: starting', sentences: [] }
        : served(situation, status);
  }
}

/** What is in effect for the active document; undefined if the server has not said it. */
export function documentOf({ status, active }: Situation): DocumentState | undefined {
  const document = status?.document ?? undefined;
  return document !== undefined && document.uri === active?.uri ? document : undefined;
}

/** The completion that is visible in the active document. */
export function shownIn({ status, active }: Situation): Shown | undefined {
  const shown = status?.shown ?? undefined;
  return shown !== undefined && shown.uri === active?.uri ? shown : undefined;
}

/** Why the active document gets no completion; undefined: there is no reason known. */
export function reasonOf(situation: Situation): string | undefined {
  const { status, active } = situation;
  if (active === null) {
    return undefined;
  }
  const nothing = status?.nothing;
  const isOver = status?.state === 'ready' && OF_THE_STATE.has(nothing?.reason ?? '');
  const isOn = nothing?.reason === 'off' && documentOf(situation)?.off === null;
  // That of an earlier request says nothing about the one that is being answered.
  const isPast = isOver || isOn || status?.busy === true;
  const last = nothing?.uri === active.uri && !isPast ? nothing.message : undefined;
  return active.unserved ?? documentOf(situation)?.off ?? last;
}

const PARAMETER_NAMES: [keyof Parameters, string][] = [
  ['temperature', 'Temperature'],
  ['topK', 'Top K'],
  ['topP', 'Top P'],
  ['numContext', 'Num Context'],
  ['seed', 'Seed'],
];

/** `ignored`: those that have no effect. */
export function parameterTexts(parameters: Parameters, ignored: (keyof Parameters)[] = []): [string, string][] {
  return PARAMETER_NAMES.map(([key, name]) => {
    const value = String(parameters[key] ?? 'random');
    return [name, ignored.includes(key) ? `${value} (no effect)` : value];
  });
}

function served(situation: Situation, status: AideStatus): StatusText {
  const document = documentOf(situation);
  const reason = reasonOf(situation);
  const shown = shownIn(situation);
  const problems = document?.problems ?? [];
  const isReady = status.state === 'ready';
  const { server } = status;
  const where = [status.device, status.recipe].filter(Boolean).join(', ');
  const state = server !== null && status.state === 'failed' ? 'no answer from the server' : NAMES[status.state];
  return {
    icon: isReady ? readyIcon(situation, status) : ICONS[status.state],
    isError: status.state === 'failed',
    isWarning: problems.length > 0,
    name: server === null || server.loopback ? NAME : `${NAME}: ${server.host}`,
    state: `Aide: ${state}${status.percent === null ? '' : ` (${status.percent} %)`}`,
    sentences: [
      isReady ? '' : (status.message ?? ''),
      status.model === '' ? '' : `Model: ${status.model}${where === '' ? '' : ` (${where})`}`,
      status.shares ?? '',
      ...(server === null ? [] : serverTexts(server)),
      document?.preset ? `Preset: ${document.preset}` : '',
      isReady && status.busy ? 'Generating a completion' : '',
      shown === undefined ? '' : shownText(shown),
      shown === undefined ? '' : filesText(shown),
      reason === undefined ? '' : `No completion: ${reason}`,
    ].filter(Boolean),
    parameters: document === undefined ? [] : parameterTexts(document.parameters, server?.ignored),
    problems,
  };
}

function serverTexts({ host, engine, replays }: ModelServer): string[] {
  // It is `server` until the server has said what it is.
  const what = engine === 'server' ? '' : ` (${engine})`;
  return [`Text is sent to ${host}${what}`, replays ? '' : 'The same seed may give another completion there'];
}

function readyIcon(situation: Situation, status: AideStatus): string {
  const document = documentOf(situation);
  if (situation.active?.unserved != null || document?.off != null) {
    return 'circle-slash';
  }
  if (document !== undefined && document.problems.length > 0) {
    return 'warning';
  }
  if (status.busy) {
    // It does not turn (`loading` does, also without `~spin`): an animation at every key takes a tenth of a core.
    return 'ellipsis';
  }
  return shownIn(situation)?.pinned === true ? 'pinned' : 'sparkle';
}

/** The other files that the model read for a completion; empty: none. */
function filesText({ files }: Shown): string {
  return files.length === 0 ? '' : `Also read: ${files.map(({ path, lines }) => `${path} ${lines}`).join('; ')}`;
}

function shownText(shown: Shown): string {
  const candidate = shown.candidate === 0 ? '' : `, candidate ${shown.candidate + 1}`;
  return `Shown: seed ${shown.seed}${candidate}${shown.pinned ? ', pinned' : ''}`;
}
