import type { Progress } from '../app/diagnose.ts';
import type { Terminal } from './terminal.ts';

/** Shows how far a run is. Everything goes to standard error. */
export interface ProgressDisplay {
  readonly onProgress: (event: Progress) => void;
  /** Takes the block off the screen. */
  end(): void;
}

interface Line {
  doing: string;
  requests: number;
  steps: number;
  state: 'reading' | 'done' | 'unreachable';
}

const BAR = 16;
/** Milliseconds between two drawings. */
const INTERVAL = 80;

/**
 * On a terminal one block, redrawn in place; with `verbose` one line for each phase; otherwise nothing.
 * `expected` is about how many pieces of evidence one cluster takes, for the bar.
 */
export function startProgress(
  stream: NodeJS.WriteStream,
  terminal: Terminal,
  options: {
    readonly clusters: readonly string[];
    readonly quiet: boolean;
    readonly verbose: boolean;
    readonly expected: number;
  },
): ProgressDisplay {
  if (options.quiet) return { onProgress: () => {}, end: () => {} };
  if (!terminal.isTerminal || options.verbose) return plainLines(stream, options.verbose);
  const started = Date.now();
  const lines = new Map<string, Line>(
    options.clusters.map(name => [name, { doing: 'connecting', requests: 0, steps: 0, state: 'reading' }]),
  );
  let drawn = 0;
  const erase = () => {
    if (drawn > 0) stream.write(`\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  const draw = () => {
    erase();
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    const width = Math.max(...options.clusters.map(name => name.length));
    for (const [name, line] of lines) {
      stream.write(`${drawLine(name.padEnd(width), line, seconds, terminal, options.expected)}\n`);
      drawn += 1;
    }
  };
  const timer = setInterval(draw, INTERVAL);
  timer.unref();
  return {
    onProgress: event => note(lines, event),
    end() {
      clearInterval(timer);
      erase();
    },
  };
}

function note(lines: Map<string, Line>, event: Progress): void {
  const line = lines.get(event.cluster) ?? { doing: '', requests: 0, steps: 0, state: 'reading' };
  lines.set(event.cluster, line);
  if (event.is === 'unreachable') {
    line.state = 'unreachable';
    line.doing = event.detail;
    return;
  }
  line.requests = event.requests;
  if (event.is === 'done') {
    line.state = 'done';
    return;
  }
  line.steps += 1;
  line.doing = `reading ${event.evidence}`;
}

function drawLine(name: string, line: Line, seconds: string, terminal: Terminal, expected: number): string {
  const [full, empty, cross] = terminal.unicode ? ['█', '░', '✗'] : ['#', '.', 'x'];
  const cut = (text: string) => (text.length < terminal.width ? text : `${text.slice(0, terminal.width - 2)}…`);
  if (line.state === 'unreachable')
    return cut(`  ${name}  ${cross} ${line.doing.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')}`);
  const share = line.state === 'done' ? 1 : Math.min(0.95, line.steps / expected);
  const bar = full!.repeat(Math.round(share * BAR)).padEnd(BAR, empty);
  const doing = (line.state === 'done' ? 'done' : line.doing).padEnd(38);
  return cut(`  ${name}  ${bar}  ${doing}${String(line.requests).padStart(5)} requests  ${seconds.padStart(5)} s`);
}

function plainLines(stream: NodeJS.WriteStream, verbose: boolean): ProgressDisplay {
  if (!verbose) return { onProgress: () => {}, end: () => {} };
  const phases = new Set<string>();
  return {
    onProgress(event) {
      const phase =
        event.is === 'reading'
          ? `reading ${event.evidence.split('.')[0]}`
          : event.is === 'done'
            ? 'done'
            : event.detail;
      const key = `${event.cluster} ${phase}`;
      if (phases.has(key)) return;
      phases.add(key);
      stream.write(`${event.cluster}: ${phase}\n`);
    },
    end() {},
  };
}
