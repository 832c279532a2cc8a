import { setMaxListeners } from 'node:events';
import { EXIT } from './exit-codes.ts';

/** Ctrl-C: the first asks everything to end, with what is known by then; the second ends at once. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Stops listening. */
  end(): void;
}

/** `say` tells the user that the first Ctrl-C was understood. */
export function listenForInterrupt(say: (line: string) => void): Interrupt {
  const controller = new AbortController();
  // Every cluster listens; Node would warn of more than ten.
  setMaxListeners(0, controller.signal);
  const onSignal = () => {
    if (controller.signal.aborted) return void endAtOnce();
    say('stopping; what was read so far is reported (Ctrl-C again ends at once)');
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    end() {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}

/** Ctrl-C, the wish of a supervisor, and a terminal that is closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What Node waits for in a thread, even when it is told to exit: a name server, or a file system that is gone. */
const IN_A_THREAD = /^(?:GetAddrInfo|GetNameInfo|FS)Req/;

/** Milliseconds that a thread is given, which nearly always has done by then. */
const PATIENCE = 200;

async function endAtOnce(): Promise<void> {
  for (const name of SIGNALS) process.removeAllListeners(name);
  for (let waited = 0; waited < PATIENCE; waited += 10) {
    if (!process.getActiveResourcesInfo().some(name => IN_A_THREAD.test(name))) process.exit(EXIT.interrupted);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  // Those who clear up at the end do so now; then the signal ends the process as it would end any other.
  process.emit('exit', EXIT.interrupted);
  process.kill(process.pid, 'SIGINT');
}
