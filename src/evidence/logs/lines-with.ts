import { buildAutomaton } from './automaton.ts';
import { candidateLines } from './candidate-lines.ts';

/**
 * The lines of a log in which one of the literals stands, in their order, decoded and cut at `LINE_CAP` bytes. The log
 * is read once; a piece and a line of it are in memory.
 */
export async function* linesWith(
  chunks: AsyncIterable<Uint8Array>,
  literals: readonly string[],
): AsyncGenerator<string> {
  let found: string[] = [];
  const lines = candidateLines(buildAutomaton(literals), bytes =>
    found.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')),
  );
  for await (const chunk of chunks) {
    lines.write(chunk);
    yield* found;
    found = [];
  }
  lines.end();
  yield* found;
}
