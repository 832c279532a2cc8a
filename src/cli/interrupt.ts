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
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    say('stopping; what was read so far is reported (Ctrl-C again ends at once)');
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    end() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
