import type { Signature } from '../../model/rule.ts';
import { candidateLines } from './candidate-lines.ts';
import { type Level, levelOf, logLine } from './log-line.ts';
import type { CompiledSignatures, Search } from './signatures.ts';

/** A signature in the log of one container run. */
export interface RunHit {
  readonly signature: Signature;
  readonly count: number;
  /** RFC 3339; '' where the lines have no timestamp. */
  readonly first: string;
  readonly last: string;
  /** Number of its newest line in this log: what came after it is decided by place, since times may be equal. */
  readonly lastLine: number;
  /** The newest line as the program wrote it. */
  readonly newest: string;
  readonly level: Level | '';
  readonly captured: Readonly<Record<string, string>>;
}

/** What the log of one container run holds. */
export interface RunScan {
  readonly lines: number;
  /** Time of the first and of the last line; '' where there is none. */
  readonly from: string;
  readonly to: string;
  /** Sorted by id. */
  readonly hits: readonly RunHit[];
}

/** Once a process was told to stop, what it logs is the noise of stopping: it is neither problem nor proof of life. */
const SHUTDOWN = 'shutdown-began';

/** Collects the hits of one run. Lines have to come in the order in which they were written. */
export interface RunHits {
  add(line: { readonly text: string; readonly time: string }, number: number, states: readonly number[]): void;
  hits(): readonly RunHit[];
}

export function runHits(search: Search): RunHits {
  const found = new Map<Signature, Omit<RunHit, 'signature' | 'captured'>>();
  let stopping = false;
  return {
    add({ text, time }, number, states) {
      const level = levelOf(text);
      for (const signature of search.matching(text, level, states)) {
        if (signature.id === SHUTDOWN) stopping = true;
        else if (stopping) continue;
        const hit = found.get(signature);
        found.set(signature, {
          count: (hit?.count ?? 0) + 1,
          first: hit?.first ?? time,
          last: time,
          lastLine: number,
          newest: text,
          level,
        });
      }
    },
    hits() {
      return [...found]
        .filter(([signature, hit]) => hit.count >= signature.atLeast)
        .map(([signature, hit]) => ({ signature, ...hit, captured: search.captured(signature, hit.newest) }))
        .sort((one, other) => (one.signature.id < other.signature.id ? -1 : 1));
    },
  };
}

export interface RunScanner {
  write(chunk: Uint8Array): void;
  /** May be called wherever reading ended: hits in what was read are hits, also where it broke off. */
  finish(): RunScan;
}

/** Scans the log of one container run in one pass; of the log itself at most one line is kept. */
export function scanRun(signatures: CompiledSignatures, component: string): RunScanner {
  const search = signatures.search(component);
  const run = runHits(search);
  const lines = candidateLines(search.automaton, (bytes, number, states) => run.add(logLine(bytes), number, states));
  return {
    write: lines.write,
    finish() {
      const count = lines.end();
      return {
        lines: count.lines,
        from: logLine(count.firstHead).time,
        to: logLine(count.lastHead).time,
        hits: run.hits(),
      };
    },
  };
}

/** Scans a whole log. */
export async function scanLog(
  signatures: CompiledSignatures,
  component: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<RunScan> {
  const run = scanRun(signatures, component);
  for await (const chunk of chunks) run.write(chunk);
  return run.finish();
}
