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
  /** What is being read; the one that was begun last is shown: others may wait for it. */
  readonly reading: string[];
  begun: number;
  finished: number;
  requests: number;
  /** Why there is nothing to read; '' otherwise. */
  problem: string;
  done: boolean;
}

const newLine = (): Line => ({ reading: [], begun: 0, finished: 0, requests: 0, problem: '', done: false });

/** About how many pieces of evidence a diagnosis takes of one cluster; only the bar reads it. */
export const EVIDENCE_PER_CLUSTER = 110;

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
  const lines = new Map<string, Line>(clusters.map(name => [name, newLine()]));
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
  const line = lines.get(event.cluster) ?? newLine();
  lines.set(event.cluster, line);
  if (event.is === 'unreachable') {
    line.problem = event.detail;
    return;
  }
  line.requests = event.requests;
  switch (event.is) {
    case 'done':
      line.done = true;
      return;
    case 'reading':
      line.reading.push(event.evidence);
      line.begun += 1;
      return;
    case 'read':
      line.finished += 1;
      line.reading.splice(line.reading.indexOf(event.evidence), 1);
  }
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
  if (line.problem) return cut(`  ${name}  ${cross} ${clean(line.problem)}`, screen);
  const share = line.done ? 1 : Math.min(0.95, line.finished / Math.max(screen.expected, line.begun));
  const bar = full!.repeat(Math.round(share * BAR)).padEnd(BAR, empty);
  const start = `  ${name}  ${bar}  `;
  const room = Math.max(0, Math.min(38, screen.columns - 1 - start.length - NUMBERS));
  const words = doingOf(line);
  const doing = cut(words.length > room ? words.replace('reading ', '') : words, {
    ...screen,
    columns: room + 1,
  }).padEnd(room);
  return cut(`${start}${doing}${String(line.requests).padStart(5)} requests  ${screen.seconds.padStart(6)} s`, screen);
}

function doingOf(line: Line): string {
  if (line.done) return 'done';
  if (line.begun === 0) return 'connecting';
  return line.reading.length === 0 ? 'thinking' : `reading ${line.reading.at(-1)}`;
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
    case 'read':
      return `reading ${event.evidence.split('.')[0]}`;
    case 'done':
      return `done, ${event.requests} requests`;
    case 'unreachable':
      return event.detail;
  }
}
