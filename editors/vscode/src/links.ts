/** What can be done now from the status bar item's tooltip, as links. */

import type { Situation } from './statusText';

export interface Link {
  text: string;
  command: string;
  args?: unknown[];
}

const SETTINGS: Link = { text: 'Settings', command: 'workbench.action.openSettings', args: ['@ext:aide.aide'] };
const LOG: Link = { text: 'Log', command: 'aide.editor.showLog' };
const RESTART: Link = { text: 'Restart Server', command: 'aide.editor.restart' };

/** Rows of links. */
export function links(situation: Situation): Link[][] {
  const { phase, status } = situation;
  if (phase === 'absent') {
    return [[{ text: 'Install', command: 'aide.editor.restart' }, SETTINGS, LOG]];
  }
  if (phase !== 'running' || status === null || status.state === 'failed') {
    return [[...(phase === 'installing' ? [] : [RESTART]), SETTINGS, LOG]];
  }
  return [
    [SETTINGS, { text: 'Effective Settings', command: 'aide.editor.settings' }, LOG],
    [{ text: status.state === 'paused' ? 'Resume' : 'Pause', command: 'aide.editor.pause' }],
  ];
}

/** The commands that links may run. */
export const LINKED = ['workbench.action.openSettings', 'aide.editor.showLog', 'aide.editor.restart', 'aide.editor.settings', 'aide.editor.pause'];
