/** What follows from a change of the server's state: the first run's progress and end, and a request where the user waits. */

import { commands } from 'vscode';
import { FirstRun, welcome } from './firstRun';
import type { AideStatus } from './protocol';
import type { Status } from './status';
import type { Waiting } from './waiting';

export class Transitions {
  private firstRun: FirstRun | undefined;
  private shownIn: string | undefined;

  /**
   * `cancel`: called when the user cancels the first run. `isReady`: called when the server has loaded, restarted, or
   * resumed.
   */
  constructor(
    private readonly status: Status,
    private readonly waiting: Waiting,
    private readonly cancel: () => void,
    private readonly isReady: () => void,
  ) {}

  get isFirstRun(): boolean {
    return this.firstRun !== undefined;
  }

  begin(firstRun: FirstRun): void {
    this.firstRun = firstRun;
    firstRun.token.onCancellationRequested(() => {
      this.end();
      this.cancel();
    });
  }

  /** Whatever its outcome, the first run is over. */
  end(): void {
    this.firstRun?.close();
    this.firstRun = undefined;
  }

  follow(now: AideStatus): void {
    const before = this.status.last?.state;
    this.status.update(now);
    if (before === 'missing' && now.state === 'loading') {
      this.begin(new FirstRun(false));
    }
    this.firstRun?.follow(now);
    if (now.state === 'ready' && before !== 'ready') {
      this.ready();
    }
    if (now.state === 'failed' || now.state === 'missing') {
      this.end();
    }
    this.show(now.shown?.uri);
  }

  /** Note where a completion is visible. */
  private show(uri: string | undefined): void {
    if ((uri === undefined) !== (this.shownIn === undefined)) {
      // Alt+] is Aide's while its completion is visible.
      void commands.executeCommand('setContext', 'aide.isShown', uri !== undefined);
    }
    if (uri !== undefined && uri !== this.shownIn) {
      // Ends the first step of the walkthrough. A pulse: VS Code misses what was true before it read the steps.
      void commands.executeCommand('setContext', 'aide.hasAppeared', true);
      void commands.executeCommand('setContext', 'aide.hasAppeared', false);
    }
    this.shownIn = uri;
  }

  /** Loaded, restarted, or resumed: a request that came earlier got nothing. */
  private ready(): void {
    if (this.isFirstRun) {
      this.waiting.atCursor();
      void welcome();
      this.end();
    }
    this.isReady();
    void this.waiting.request();
  }
}
