/**
 * Comparing completions: a view next to the code with the completions at one cursor for a few temperatures and seeds.
 * They come one after the other. A click on one writes its parameters to the project.
 */

import path from 'node:path';
import { CancellationTokenSource, Selection, ViewColumn, window, type Disposable, type WebviewPanel } from 'vscode';
import type { Client } from './client';
import { cellsOf, drawing, TEMPERATURES, type Cell, type Current, type Fields } from './comparing';
import { comparePage } from './comparePage';
import { showAnother } from './ghost';
import { argument, type Place } from './place';
import { writeToProject } from './projectFile';
import type { Completed, Shown } from './protocol';
import { messageOf } from './signed';

const MOST_TRIES = 3;

type Message = { ready: true } | { compare: Fields } | { adopt: string };

export class Comparison implements Disposable {
  private panel: WebviewPanel | undefined;
  private place: Place | undefined;
  private current: Current = { text: '', message: 'Waiting …', parameters: {} };
  private cells: Cell[] = [];
  private running: CancellationTokenSource | undefined;

  constructor(private readonly client: Client) {}

  /** Compare at a place. `shown`: the completion that is shown there. */
  async open(place: Place, shown: Shown | null): Promise<void> {
    this.stop();
    this.place = place;
    this.cells = [];
    const seed = shown?.uri === place.document.uri.toString() ? shown : null;
    this.current = await this.complete(seed === null ? {} : { parameters: { seed: seed.seed }, candidate: seed.candidate });
    if (this.panel === undefined) {
      this.show();
    } else {
      this.panel.reveal(undefined, true);
      this.begin();
    }
  }

  dispose(): void {
    this.stop();
    this.panel?.dispose();
  }

  private show(): void {
    const column = { viewColumn: ViewColumn.Beside, preserveFocus: true };
    const options = { enableScripts: true, localResourceRoots: [], retainContextWhenHidden: true };
    const panel = window.createWebviewPanel('aide.compare', 'Aide: Compare', column, options);
    this.panel = panel;
    panel.onDidDispose(() => {
      this.panel = undefined;
      this.stop();
    });
    panel.webview.onDidReceiveMessage((message: Message) => {
      if ('ready' in message) {
        this.begin();
      } else if ('compare' in message) {
        this.compare(message.compare);
      } else {
        void this.adopt(message.adopt);
      }
    });
    panel.webview.html = comparePage();
  }

  /** Show the default values, and compare them. */
  private begin(): void {
    const { seed, topK, topP } = this.current.parameters;
    const first = typeof seed === 'number' ? seed : 1;
    const fields = {
      temperatures: TEMPERATURES.join(', '),
      seeds: `${first}, ${first + 1}`,
      topK: String(topK),
      topP: String(topP),
    };
    void this.panel?.webview.postMessage({ fields });
    this.compare(fields);
  }

  private compare(fields: Fields): void {
    this.stop();
    try {
      this.cells = cellsOf(fields);
    } catch (error) {
      this.draw(messageOf(error));
      return;
    }
    const running = (this.running = new CancellationTokenSource());
    this.draw();
    void this.fill(this.cells, running);
  }

  /** Ask for one completion after the other. */
  private async fill(cells: Cell[], running: CancellationTokenSource): Promise<void> {
    for (const cell of cells) {
      cell.message = 'Generating …';
      this.draw();
      const completed = await this.complete({ parameters: cell.parameters }, running);
      if (running.token.isCancellationRequested) {
        return;
      }
      cell.text = completed.text;
      cell.message = completed.message;
      this.draw();
    }
  }

  private async complete(more: object, running?: CancellationTokenSource): Promise<Current> {
    const place = this.needed();
    if (place.document.version !== place.version) {
      return { text: '', message: 'The file has changed since. Run the command again.', parameters: {} };
    }
    try {
      const question = { ...argument(place), ...more };
      let answer = await this.client.run<Completed>('aide.complete', question, running?.token);
      // VS Code requested a completion in the meantime, for example because the editor got the focus.
      for (let tries = 0; answer.reason === 'superseded' && tries < MOST_TRIES; tries++) {
        answer = await this.client.run<Completed>('aide.complete', question, running?.token);
      }
      return { text: answer.insertText, message: answer.message ?? 'No completion.', parameters: answer.parameters ?? {} };
    } catch (error) {
      return { text: '', message: messageOf(error), parameters: {} };
    }
  }

  private draw(problem?: string): void {
    const { document, position } = this.needed();
    const where = `${path.posix.basename(document.uri.path)}:${position.line + 1}:${position.character + 1}`;
    const before = document.lineAt(position.line).text.slice(0, position.character);
    const comparison = drawing(where, before, this.current, this.cells);
    void this.panel?.webview.postMessage({ problem, comparison });
  }

  /** Write the parameters of a cell to the project, and show its completion at the cursor. */
  private async adopt(id: string): Promise<void> {
    const place = this.needed();
    const cell = this.cells.find((one) => one.id === id);
    if (cell === undefined) {
      return;
    }
    const { temperature, seed, topK, topP } = cell.parameters;
    const { topK: k, topP: p } = this.current.parameters;
    const values = {
      temperature,
      // At Temperature 0 there is nothing to choose.
      ...(temperature === 0 ? {} : { seed }),
      ...(topK === k ? {} : { topK }),
      ...(topP === p ? {} : { topP }),
    };
    await this.tryTo(async () => {
      const argument = { uri: place.document.uri.toString(), parameters: values };
      if (await writeToProject(this.client, 'aide.writeParameters', argument)) {
        const editor = await window.showTextDocument(place.document, { viewColumn: place.column });
        if (place.document.version === place.version) {
          editor.selection = new Selection(place.position, place.position);
        }
        await showAnother();
      }
    });
  }

  private async tryTo(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.draw(messageOf(error));
    }
  }

  private stop(): void {
    this.running?.cancel();
    this.running?.dispose();
    this.running = undefined;
  }

  private needed(): Place {
    if (this.place === undefined) {
      throw new Error('No comparison has been started.');
    }
    return this.place;
  }
}
