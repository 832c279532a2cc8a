import { type Automaton, advance, stopped } from './automaton.ts';

/** Longer lines are looked at up to here (bytes): a program that writes more into one line says what is wrong first. */
export const LINE_CAP = 65_536;
/** Enough of a line for a timestamp and what stands before it. */
const HEAD = 512;
const NO_BYTES = new Uint8Array(0);

/** What a log is made of, as far as counting needs it. */
export interface LineCount {
  /** All lines, the empty ones included. */
  readonly lines: number;
  /** Beginnings of the first and of the last line, undecoded. */
  readonly firstHead: Uint8Array;
  readonly lastHead: Uint8Array;
}

/**
 * Called with the bytes of a line without its end, capped, its number from 1, and the automaton's states that were seen
 * in it. Bytes and states are valid during the call.
 */
export type OnLine = (line: Uint8Array, number: number, states: readonly number[]) => void;

export interface CandidateLines {
  write(chunk: Uint8Array): void;
  /** Ends the last line, where the log does not end in a line feed. */
  end(): LineCount;
}

/**
 * Cuts a log that arrives in chunks into lines, and hands on only those in which the automaton found something. Between
 * two chunks at most the first `LINE_CAP` bytes of an unfinished line are kept.
 */
export function candidateLines(automaton: Automaton, onLine: OnLine): CandidateLines {
  const { table, attention, lineEnd } = automaton;
  const kept = unfinishedLine();
  let state = 0;
  const seen: number[] = [];
  let lines = 0;
  let firstHead: Uint8Array = NO_BYTES;
  let lastHead: Uint8Array = NO_BYTES;

  function ended(bytes: Uint8Array, start: number, end: number): void {
    lines += 1;
    if (seen.length === 0 && lines > 1) return;
    const line = bytes.subarray(start, Math.min(end, start + LINE_CAP));
    if (lines === 1) firstHead = headOf(line);
    if (seen.length > 0) onLine(line, lines, seen);
    seen.length = 0;
  }

  function write(chunk: Uint8Array): void {
    // A plain Uint8Array: indexing a Buffer, which is a subclass, is slower in the loop.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    let lastLine: Uint8Array | undefined;
    let lastStart = -1;
    for (let position = 0; position < bytes.length; ) {
      const at = advance(table, attention, bytes, position, state);
      state = stopped.state;
      position = at + 1;
      if (at === bytes.length) break;
      if (state !== lineEnd) {
        if (!seen.includes(state)) seen.push(state);
        continue;
      }
      if (kept.isEmpty()) {
        ended(bytes, start, at);
        lastStart = start;
      } else {
        lastLine = kept.take(bytes.subarray(start, at));
        ended(lastLine, 0, lastLine.length);
      }
      start = position;
    }
    if (lastStart >= 0) lastHead = headOf(bytes.subarray(lastStart, start - 1));
    else if (lastLine) lastHead = headOf(lastLine);
    if (start < bytes.length) kept.add(bytes.subarray(start));
  }

  function end(): LineCount {
    if (!kept.isEmpty()) {
      const rest = kept.take(NO_BYTES);
      ended(rest, 0, rest.length);
      lastHead = headOf(rest);
    }
    return { lines, firstHead, lastHead };
  }

  return { write, end };
}

/** The beginning of a line whose end has not come yet. */
function unfinishedLine() {
  let buffer = new Uint8Array(4096);
  let length = 0;
  let begun = false;

  function add(bytes: Uint8Array): void {
    begun = true;
    const taken = Math.min(bytes.length, LINE_CAP - length);
    if (taken <= 0) return;
    if (length + taken > buffer.length) {
      const larger = new Uint8Array(Math.min(LINE_CAP, Math.max(buffer.length * 2, length + taken)));
      larger.set(buffer.subarray(0, length));
      buffer = larger;
    }
    buffer.set(bytes.subarray(0, taken), length);
    length += taken;
  }

  return {
    add,
    isEmpty: () => !begun,
    /** The line, completed by `bytes`; valid until the next `add`. */
    take(bytes: Uint8Array): Uint8Array {
      add(bytes);
      const line = buffer.subarray(0, length);
      length = 0;
      begun = false;
      return line;
    },
  };
}

function headOf(line: Uint8Array): Uint8Array {
  return line.slice(0, HEAD);
}
