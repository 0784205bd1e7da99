/** The tooltip of the status bar item, as Markdown: what is in effect, and links to what can be changed. */

import type { Link } from './actions';
import type { StatusText } from './statusText';

/** `links`: rows of links, below a line. */
export function tooltip({ state, sentences, parameters, problems }: StatusText, links: Link[][]): string {
  return [
    `**${escapeMarkdown(state)}**`,
    ...sentences.map(escapeMarkdown),
    table(parameters),
    ...problems.map(problemText),
    '---',
    ...links.map((row) => row.map(linkText).join(' &nbsp;·&nbsp; ')),
  ]
    .filter(Boolean)
    .join('\n\n');
}

/** Escape text for Markdown so that lines wrap between words (`MarkdownString.appendText` wraps within them). */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~&$]/g, '\\$&');
}

const TOML = /(?:[A-Za-z]:)?[\\/][^:*?"<>|\n]*?\.toml\b/;

/** A problem with a settings file, and a link to the file. */
function problemText(problem: string): string {
  const file = TOML.exec(problem)?.[0];
  const open = file === undefined ? '' : ` ${linkText({ text: 'Open the file', command: 'aide.editor.openFile', args: [file] })}`;
  return `$(warning) ${escapeMarkdown(problem)}${open}`;
}

function table(parameters: [string, string][]): string {
  const row = (cells: string[]): string => `|${cells.map((cell) => `&nbsp;${escapeMarkdown(cell)}&nbsp;`).join('|')}|`;
  return parameters.length === 0
    ? ''
    : [row(parameters.map(([name]) => name)), `|${':-:|'.repeat(parameters.length)}`, row(parameters.map(([, value]) => value))].join('\n');
}

function linkText({ text, command, args }: Link): string {
  const query = args === undefined ? '' : `?${encodeURIComponent(JSON.stringify(args))}`;
  return `[${escapeMarkdown(text)}](command:${command}${query})`;
}
