/** Words the server's state for the status bar: its text and its tooltip. */

import type { AideStatus } from './protocol';

/** State of the server's process. */
export type Phase = 'starting' | 'running' | 'stopped' | 'failed';

export interface StatusText {
  text: string;
  /** Paragraphs, plain text. */
  tooltip: string[];
  isError: boolean;
}

const NAMES: Record<AideStatus['state'], string> = {
  starting: 'starting',
  loading: 'loading the model',
  ready: 'ready',
  failed: 'no model loaded',
  paused: 'paused',
};

/** `failure`: why the server could not be started or was not restarted, as shown to the user. */
export function statusText(phase: Phase, status: AideStatus | null, failure: string | null): StatusText {
  if (phase === 'failed' || phase === 'stopped') {
    const reason = failure ?? 'The server is stopped. Start it with "Aide: Restart Server".';
    return { text: '$(error) Aide', tooltip: ['Aide offers no completions.', reason], isError: phase === 'failed' };
  }
  if (phase === 'starting' || status === null) {
    return { text: '$(loading~spin) Aide: starting', tooltip: ['Aide is starting.'], isError: false };
  }
  return { text: barText(status), tooltip: tooltip(status), isError: status.state === 'failed' };
}

/** Escape text for Markdown so that lines wrap between words (`MarkdownString.appendText` wraps within them). */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~&]/g, '\\$&');
}

function barText(status: AideStatus): string {
  switch (status.state) {
    case 'starting':
      return '$(loading~spin) Aide: starting';
    case 'loading':
      return `$(loading~spin) Aide: loading${status.percent === null ? '' : ` ${status.percent} %`}`;
    case 'failed':
      return '$(error) Aide';
    case 'paused':
      return '$(debug-pause) Aide: paused';
    case 'ready':
      return [`${status.busy ? '$(loading~spin)' : '$(sparkle)'} ${status.model}`, status.device, seed(status)]
        .filter(Boolean)
        .join(' · ');
  }
}

function seed({ shown }: AideStatus): string {
  if (shown === null) {
    return '';
  }
  return `${shown.pinned ? '$(pinned) ' : ''}seed ${shown.seed}`;
}

function tooltip(status: AideStatus): string[] {
  const state = status.state === 'ready' && status.busy ? 'thinking' : NAMES[status.state];
  const where = [status.device, status.recipe].filter(Boolean).join(', ');
  return [
    `Aide: ${state}`,
    `Model: ${status.model}${where ? ` (${where})` : ''}`,
    status.state === 'ready' ? '' : (status.message ?? ''),
    status.shown === null ? '' : shownText(status.shown),
    status.nothing === null ? '' : `No completion: ${status.nothing.message}`,
  ].filter(Boolean);
}

function shownText(shown: NonNullable<AideStatus['shown']>): string {
  const candidate = shown.candidate === 0 ? '' : `, candidate ${shown.candidate + 1}`;
  return `Last shown: seed ${shown.seed}${candidate}${shown.pinned ? ', pinned' : ''}`;
}
