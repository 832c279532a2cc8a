import type { Progress } from '../app/diagnose.ts';
import type { Terminal } from './terminal.ts';

/** Shows how far a run is. Everything goes to standard error. */
export interface ProgressDisplay {
  readonly onProgress: (event: Progress) => void;
  /** Writes a line of its own above what is redrawn. */
  say(line: string): void;
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
  const say = (line: string) => void stream.write(`${line}\n`);
  if (options.quiet) return { onProgress: () => {}, say: () => {}, end: () => {} };
  if (options.verbose) return { onProgress: phaseLines(say), say, end: () => {} };
  if (!terminal.redraws) return { onProgress: () => {}, say, end: () => {} };
  return block(stream, terminal, options.clusters, options.expected);
}

function block(
  stream: NodeJS.WriteStream,
  terminal: Terminal,
  clusters: readonly string[],
  expected: number,
): ProgressDisplay {
  const started = Date.now();
  const lines = new Map<string, Line>(
    clusters.map(name => [name, { doing: 'connecting', requests: 0, steps: 0, state: 'reading' }]),
  );
  let drawn = 0;
  const erase = () => {
    // To the first column too: the terminal itself writes ^C.
    if (drawn > 0) stream.write(`\r\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  const draw = () => {
    erase();
    const rows = drawLines(lines, {
      seconds: ((Date.now() - started) / 1000).toFixed(1),
      columns: stream.columns || terminal.width,
      rows: stream.rows || 24,
      unicode: terminal.unicode,
      expected,
    });
    stream.write(rows.map(row => `${row}\n`).join(''));
    drawn = rows.length;
  };
  const timer = setInterval(draw, INTERVAL);
  timer.unref();
  return {
    onProgress: event => note(lines, event),
    say(line) {
      erase();
      stream.write(`\r${line}\n`);
    },
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

interface Screen {
  readonly seconds: string;
  readonly columns: number;
  readonly rows: number;
  readonly unicode: boolean;
  readonly expected: number;
}

/** What a line shows besides the name, and is cut first: what is being read. */
const NUMBERS = 25;

/** One line a cluster, as many as the screen holds: what has scrolled away cannot be taken back. */
function drawLines(lines: ReadonlyMap<string, Line>, screen: Screen): readonly string[] {
  const width = Math.max(0, ...[...lines.keys()].map(name => name.length));
  const drawn = [...lines].map(([name, line]) => drawLine(clean(name).padEnd(width), line, screen));
  const room = Math.max(1, screen.rows - 2);
  if (drawn.length <= room) return drawn;
  return [...drawn.slice(0, room - 1), cut(`  and ${drawn.length - room + 1} more clusters`, screen)];
}

function drawLine(name: string, line: Line, screen: Screen): string {
  const [full, empty, cross] = screen.unicode ? ['█', '░', '✗'] : ['#', '.', 'x'];
  if (line.state === 'unreachable') return cut(`  ${name}  ${cross} ${clean(line.doing)}`, screen);
  const share = line.state === 'done' ? 1 : Math.min(0.95, line.steps / screen.expected);
  const bar = full!.repeat(Math.round(share * BAR)).padEnd(BAR, empty);
  const start = `  ${name}  ${bar}  `;
  const room = Math.max(0, Math.min(38, screen.columns - 1 - start.length - NUMBERS));
  const doing = cut(line.state === 'done' ? 'done' : line.doing, { ...screen, columns: room + 1 }).padEnd(room);
  return cut(`${start}${doing}${String(line.requests).padStart(5)} requests  ${screen.seconds.padStart(6)} s`, screen);
}

/** Shorter than the screen is wide: a line that wraps would count as two. */
function cut(text: string, { columns, unicode }: Pick<Screen, 'columns' | 'unicode'>): string {
  const room = Math.max(0, columns - 1);
  if (text.length <= room) return text;
  const end = unicode ? '…' : '...';
  return room <= end.length ? text.slice(0, room) : `${text.slice(0, room - end.length)}${end}`;
}

/** Without what would move the cursor. */
function clean(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

function phaseLines(say: (line: string) => void): (event: Progress) => void {
  const phases = new Set<string>();
  return event => {
    const phase = phaseOf(event);
    const key = `${event.cluster} ${phase}`;
    if (phases.has(key)) return;
    phases.add(key);
    say(clean(`${event.cluster}: ${phase}`));
  };
}

function phaseOf(event: Progress): string {
  switch (event.is) {
    case 'reading':
      return `reading ${event.evidence.split('.')[0]}`;
    case 'done':
      return `done, ${event.requests} requests`;
    case 'unreachable':
      return event.detail;
  }
}
