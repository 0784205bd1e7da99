/**
 * The language client: starts the server, restarts it after a crash, and passes on settings and the server's state.
 * After repeated crashes it stops trying and shows one message.
 */

import { homedir } from 'node:os';
import {
  window,
  workspace,
  type CancellationToken,
  type Disposable,
  type ExtensionContext,
  type LogOutputChannel,
} from 'vscode';
import {
  CloseAction,
  DidChangeConfigurationNotification,
  ErrorAction,
  ExecuteCommandRequest,
  LanguageClient,
  RevealOutputChannelOn,
  State,
  type CloseHandlerResult,
  type StaticFeature,
} from 'vscode-languageclient/node';
import { Crashes } from './crashes';
import { CanceledError } from './environment';
import { middleware } from './middleware';
import type { AideStatus, Ready } from './protocol';
import { findServer } from './server';
import { messageOf } from './signed';
import type { Status } from './status';
import { Transitions } from './transitions';
import type { Waiting } from './waiting';

export class Client implements Disposable {
  /** Called when the server has loaded, restarted, or resumed. */
  isReady: () => void = () => undefined;
  private client: LanguageClient | undefined;
  private crashes = new Crashes();
  private hasRun = false;
  private readonly transitions: Transitions;
  private readonly listener: Disposable;

  constructor(
    private readonly context: ExtensionContext,
    private readonly status: Status,
    private readonly waiting: Waiting,
    readonly log: LogOutputChannel,
  ) {
    this.transitions = new Transitions(status, waiting, () => void this.stop(), () => { this.isReady(); });
    this.listener = workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('aide.server')) {
        void this.restart(false);
      } else if (event.affectsConfiguration('aide') && this.client?.isRunning() === true) {
        // Without values: the server requests those of each folder.
        void this.client.sendNotification(DidChangeConfigurationNotification.type, { settings: null });
      }
    });
  }

  /** Find the server and start it. `ask`: offer to install it even if the user declined before. */
  async start(ask: boolean): Promise<void> {
    this.status.follow('starting');
    this.crashes = new Crashes();
    this.hasRun = false;
    try {
      const command = await findServer(this.context, {
        ask,
        asking: () => { this.status.follow('absent'); },
        installing: (firstRun) => {
          this.transitions.begin(firstRun);
          this.status.follow('installing', 'Aide offers completions when this is done.');
        },
        log: this.log,
      });
      if (command === undefined) {
        this.status.follow('absent');
      } else {
        this.status.follow(this.transitions.isFirstRun ? 'installing' : 'starting');
        await this.launch(command);
      }
    } catch (error) {
      if (error instanceof CanceledError) {
        this.status.follow('absent');
      } else {
        this.giveUp(messageOf(error));
      }
    }
  }

  async restart(ask: boolean): Promise<void> {
    await this.stop();
    await this.start(ask);
  }

  async stop(): Promise<void> {
    this.transitions.end();
    const client = this.client;
    // First, so that `closed` does not take the end of the process for a crash.
    this.client = undefined;
    if (client?.needsStop() === true) {
      await client.stop().catch((error: unknown) => { this.log.warn(String(error)); });
    }
    this.status.follow('stopped');
  }

  /** Run one of the server's commands. */
  async run<T>(command: string, argument: object, token?: CancellationToken): Promise<T> {
    if (this.client?.isRunning() !== true) {
      throw new Error('The server is not running. Start it with "Aide: Restart Server".');
    }
    return (await this.client.sendRequest(ExecuteCommandRequest.type, { command, arguments: [argument] }, token)) as T;
  }

  /** Send the server a notification if it is running. */
  notify(method: string, params: object): void {
    if (this.client?.isRunning() === true) {
      void this.client.sendNotification(method, params);
    }
  }

  dispose(): void {
    this.listener.dispose();
  }

  private async launch(command: string): Promise<void> {
    this.log.info(`Starting ${command}`);
    const client = (this.client = this.make(command));
    try {
      await client.start();
      this.hasRun = true;
    } catch (error) {
      this.log.error(String(error));
      throw new Error(`The server ${command} exited while it was starting.`, { cause: error });
    }
  }

  private make(command: string): LanguageClient {
    const client: LanguageClient = new QuietClient(
      'aide',
      'Aide',
      // Not the workspace: starting the server must not run or read anything in it.
      { command, args: ['--stdio'], options: { cwd: homedir() } },
      {
        documentSelector: [{ language: '*' }],
        // Whoever agreed to the installation agreed to the model's download as well.
        initializationOptions: this.transitions.isFirstRun ? { download: true } : undefined,
        outputChannel: this.log,
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        // Without it, the library shows a message of its own; `launch` reports the failure.
        initializationFailedHandler: () => false,
        errorHandler: {
          // The default shuts the server down after three errors.
          error: () => ({ action: ErrorAction.Continue, handled: true }),
          closed: () => this.closed(client),
        },
        middleware: middleware(this.context.extension.packageJSON, {
          requested: (place, isExplicit) => { this.waiting.asked(place, isExplicit); },
          accepted: () => void this.waiting.accepted(),
          answered: (place) => { this.waiting.answered(place); },
          // The notification of the first run shows it already.
          hidesProgress: () => this.transitions.isFirstRun,
        }),
      },
    );
    client.registerFeature(announcement);
    client.onNotification('aide/status', (status: AideStatus) => { this.transitions.follow(status); });
    client.onNotification('aide/ready', (ready: Ready) => { void this.waiting.ready(ready); });
    client.onDidChangeState(({ newState }) => {
      if (client === this.client && (newState === State.Running || newState === State.Starting)) {
        this.status.follow(newState === State.Running ? 'running' : 'starting');
      }
    });
    return client;
  }

  private closed(client: LanguageClient): CloseHandlerResult {
    // `launch` reports a server that could not even start; another try would end the same way.
    if (client !== this.client || !this.hasRun) {
      return { action: CloseAction.DoNotRestart, handled: true };
    }
    if (this.crashes.another(Date.now())) {
      this.log.warn('The server exited unexpectedly. Restarting it.');
      return { action: CloseAction.Restart, handled: true };
    }
    this.giveUp('The server exited unexpectedly several times and was not restarted.');
    return { action: CloseAction.DoNotRestart, handled: true };
  }

  /** Report, once, that there will be no completions. */
  private giveUp(reason: string): void {
    this.client = undefined;
    this.transitions.end();
    this.log.error(reason);
    this.status.follow('failed', reason);
    void window.showErrorMessage(`Aide offers no completions. ${reason}`, 'Try Again', 'Show Log').then((choice) => {
      if (choice === 'Try Again') {
        void this.restart(true);
      } else if (choice === 'Show Log') {
        this.log.show();
      }
    });
  }
}

/** Only logs its errors: `giveUp` shows the user what matters, once. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** Announces that this client handles `aide/status` and `aide/ready`, and takes first lines before the rest. */
const announcement: StaticFeature = {
  fillClientCapabilities: (capabilities) => {
    capabilities.experimental = { ...(capabilities.experimental as object | undefined), aide: { firstLines: true } };
  },
  initialize: () => undefined,
  getState: () => ({ kind: 'static' }),
  clear: () => undefined,
};
