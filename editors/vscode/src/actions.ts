/** What can be done now: the entries of the menu, and the links of the tooltip. */

import type { DocumentState } from './protocol';
import { documentOf, shownIn, type Situation } from './statusText';

export interface Action {
  /** The heading that it is under in the menu. */
  group: string;
  icon: string;
  text: string;
  command: string;
  args?: unknown[];
  /** The current value of what it changes. */
  current?: string;
}

export interface Link {
  text: string;
  command: string;
  args?: unknown[];
}

const COMPLETION = 'This Completion';
const PARAMETERS = 'Parameters';
const AIDE = 'Aide';
const OPEN_SETTINGS = 'workbench.action.openSettings';
const EXTENSION = '@ext:aide.aide';
const WALKTHROUGH = 'aide.aide#start';

const SETTINGS: Action = {
  group: PARAMETERS,
  icon: 'gear',
  text: 'Open Settings',
  command: OPEN_SETTINGS,
  args: [EXTENSION],
};
const SERVER: Action = { group: AIDE, icon: 'server', text: 'Choose What Runs the Model', command: OPEN_SETTINGS, args: ['aide.engine'] };
const LOG: Action = { group: AIDE, icon: 'output', text: 'Show Log', command: 'aide.editor.showLog' };
const RESTART: Action = { group: AIDE, icon: 'debug-restart', text: 'Restart Server', command: 'aide.editor.restart' };
const INSTALL: Action = { group: AIDE, icon: 'cloud-download', text: 'Install', command: 'aide.editor.restart' };
const DOWNLOAD: Action = { group: AIDE, icon: 'cloud-download', text: 'Download the Model', command: 'aide.editor.fetchModel' };
const TRY_AGAIN: Action = { group: AIDE, icon: 'refresh', text: 'Try Again', command: DOWNLOAD.command };
const START: Action = {
  group: AIDE,
  icon: 'mortar-board',
  text: 'Get Started',
  command: 'workbench.action.openWalkthrough',
  args: [WALKTHROUGH, false],
};

/** `canGoBack`: whether another completion was shown at the cursor before. */
export function actions(situation: Situation, canGoBack: boolean): Action[] {
  const { phase, status } = situation;
  if (phase === 'absent') {
    return [INSTALL, SETTINGS, LOG, START];
  }
  if (phase !== 'running' || status === null) {
    return [...(phase === 'installing' ? [] : [RESTART]), SETTINGS, LOG, START];
  }
  return [
    ...completionActions(situation, canGoBack),
    ...parameterActions(situation),
    ...switches(situation),
    ...(status.state === 'missing' ? [DOWNLOAD] : []),
    ...(status.state === 'failed' ? [TRY_AGAIN] : []),
    status.server === null
      ? { group: AIDE, icon: 'package', text: 'Select Model', command: 'aide.editor.selectModel', current: status.model }
      : { ...SERVER, current: status.server.host },
    RESTART,
    LOG,
    START,
  ];
}

/** Rows of links. */
export function links(situation: Situation): Link[][] {
  const available = actions(situation, false);
  const rows = [
    [link(SETTINGS, 'Settings'), { text: 'Effective Settings', command: 'aide.editor.settings' }, link(LOG, 'Log')],
    [INSTALL, DOWNLOAD, TRY_AGAIN].map((action) => link(action, action.text)),
    switches(situation).map((action) => link(action, SHORT[action.command]?.(action) ?? action.text)),
  ];
  // A link that does nothing now is left out.
  const name = ({ text, command }: Link): string => (SHARED.has(command) ? text : command);
  const names = new Set(available.map(name));
  return rows
    .map((row) => row.filter((entry) => names.has(name(entry))))
    .filter((row) => row.length > 0);
}

/** The commands that links may run. */
export const LINKED = [
  SETTINGS.command,
  LOG.command,
  RESTART.command,
  DOWNLOAD.command,
  'aide.editor.settings',
  'aide.editor.pause',
  'aide.editor.snooze',
  'aide.editor.offLanguage',
  'aide.editor.offFile',
  'aide.editor.openFile',
];

/** Commands of several actions, which only their texts tell apart. */
const SHARED = new Set([RESTART.command, DOWNLOAD.command]);

/** Texts of links that are shorter than those of the menu. */
const SHORT: Record<string, (action: Action) => string> = {
  'aide.editor.snooze': () => 'Snooze 5 min',
  'aide.editor.offLanguage': ({ text }) => text.replace('Turn ', ''),
  'aide.editor.offFile': ({ text }) => text.replace('Turn ', ''),
};

function link({ command, args }: Action, text: string): Link {
  return args === undefined ? { text, command } : { text, command, args };
}

function completionActions(situation: Situation, canGoBack: boolean): Action[] {
  const { status, active } = situation;
  const document = documentOf(situation);
  if (status?.state !== 'ready' || active === null || active.unserved !== null || document?.off != null) {
    return [];
  }
  const shown = shownIn(situation);
  const seed = document?.parameters.seed;
  const isFixed = typeof seed === 'number' || shown?.pinned === true;
  const action = (icon: string, text: string, name: string, current?: string): Action => ({
    group: COMPLETION,
    icon,
    text,
    command: `aide.editor.${name}`,
    ...(current === undefined ? {} : { current }),
  });
  const seedText = shown && `seed ${shown.seed}`;
  return [
    ...(shown === undefined
      ? [action('sparkle', 'Complete at the Cursor', 'complete')]
      : [
          action('arrow-down', 'Next Candidate', 'nextCandidate', `candidate ${shown.candidate + 1}`),
          ...(shown.candidate > 0 ? [action('arrow-up', 'Previous Candidate', 'previousCandidate')] : []),
          action('refresh', 'Regenerate with New Seed', 'regenerate', seedText),
        ]),
    ...(canGoBack ? [action('discard', 'Previous Seed', 'previousSeed')] : []),
    ...(shown !== undefined && !shown.pinned ? [action('pin', 'Pin This Seed', 'pinSeed', seedText)] : []),
    ...(isFixed ? [action('pinned', 'Unpin Seed', 'unpinSeed', `seed ${seed ?? shown?.seed}`)] : []),
    ...(shown === undefined ? [] : [action('question', 'Explain This Completion', 'explain')]),
    action('split-horizontal', 'Compare Completions', 'compare'),
    action('wand', 'Troubleshoot Completions…', 'troubleshoot'),
  ];
}

function parameterActions(situation: Situation): Action[] {
  const document = documentOf(situation);
  const preset: Action = {
    group: PARAMETERS,
    icon: 'settings',
    text: 'Choose Preset',
    command: 'aide.editor.choosePreset',
    ...(document === undefined ? {} : { current: document.preset ?? 'no preset' }),
  };
  const effective: Action = {
    group: PARAMETERS,
    icon: 'list-selection',
    text: 'Show Effective Settings',
    command: 'aide.editor.settings',
  };
  return [...(document === undefined ? [] : [preset]), effective, SETTINGS];
}

/** What turns completions off, and on again. */
function switches(situation: Situation): Action[] {
  const { phase, status, active } = situation;
  if (phase !== 'running' || (status?.state !== 'ready' && status?.state !== 'paused')) {
    return [];
  }
  const isPaused = status.state === 'paused';
  const action = (icon: string, text: string, name: string): Action => ({ group: AIDE, icon, text, command: `aide.editor.${name}` });
  const served = active !== null && active.unserved === null ? active : null;
  return [
    isPaused ? action('debug-start', 'Resume', 'pause') : action('debug-pause', 'Pause', 'pause'),
    ...(isPaused ? [] : [action('watch', 'Snooze for 5 Minutes', 'snooze')]),
    ...(served === null ? [] : offActions(served.language, documentOf(situation))),
  ];
}

/** What turns completions off here or, where they are off, what turns them on again. */
function offActions(language: string, document: DocumentState | undefined): Action[] {
  const action = (text: string, command: string, ...args: unknown[]): Action => ({
    group: AIDE,
    icon: 'circle-slash',
    text,
    command,
    ...(args.length === 0 ? {} : { args }),
  });
  const turn = document?.off == null ? 'Turn Off' : 'Turn On';
  const forLanguage = action(`${turn} for ${language}`, 'aide.editor.offLanguage');
  const forFile = action(`${turn} for This File`, 'aide.editor.offFile');
  switch (document?.offScope ?? null) {
    case null:
      return [forLanguage, forFile];
    case 'language':
      return [forLanguage];
    case 'file':
      return [forFile];
    case 'secret':
      return [action('Turn On for Files with Secrets…', OPEN_SETTINGS, 'aide.completeSecrets')];
    case 'engine':
      return []; // what runs the model is chosen elsewhere in the menu
    case 'editor':
      return [action('Open the Setting That Turns It Off', OPEN_SETTINGS, 'aide.off')];
    default:
      return [action('Open the File That Turns It Off', 'aide.editor.openFile', document?.offPath)];
  }
}
