import { EXIT } from './exit-codes.ts';

let listening = false;

/**
 * A reader such as `head` that has seen enough is no failure: what is still written goes nowhere, and the run ends with
 * its own exit code, its files written. Any other failure of a stream, such as a full disk, ends the run.
 */
export function swallowClosedPipes(): void {
  if (listening) return;
  listening = true;
  process.stdout.on('error', onError);
  process.stderr.on('error', onError);
}

function onError(error: NodeJS.ErrnoException): void {
  // A terminal that was closed says the latter.
  if (error.code === 'EPIPE' || error.code === 'EIO') return;
  try {
    process.stderr.write(`thanos-doctor: cannot write the output: ${error.message}\n`);
  } finally {
    process.exit(EXIT.usage);
  }
}
