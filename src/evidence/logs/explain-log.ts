import { candidateLines } from './candidate-lines.ts';
import { cleanLine } from './clean-line.ts';
import { type LogLine, logLine, ownTime, withoutApiTime } from './log-line.ts';
import { type RunHits, runHits } from './run-scan.ts';
import type { CompiledSignatures } from './signatures.ts';

/** What one signature says of a log. */
export interface ExplainedHit {
  readonly signature: string;
  readonly means: string;
  /** Ids of the rules that read it. */
  readonly rules: readonly string[];
  /** It proves life, progress or a stop, and is no problem. */
  readonly marker: boolean;
  /** `pod/name/container` where the lines came with it, as `kubectl logs --prefix` writes it; else ''. */
  readonly source: string;
  readonly count: number;
  /** RFC 3339; '' where the lines have no time. */
  readonly first: string;
  readonly last: string;
  readonly level: string;
  /** The newest line, without credentials. */
  readonly sample: string;
  readonly captured: Readonly<Record<string, string>>;
}

export interface ExplainedLog {
  readonly lines: number;
  readonly from: string;
  readonly to: string;
  /** Problems before markers, the newest first. */
  readonly hits: readonly ExplainedHit[];
}

export interface ExplainOptions {
  /** A component of `thanos.components`; '' looks for the signatures of all. */
  readonly component: string;
}

const PREFIX = /^\[(pod\/[^\]/]+\/[^\]]+)\] /;

/**
 * What a log says, wherever it came from: a file, a pipe, `kubectl logs` with or without `--timestamps` and `--prefix`.
 * The lines of several containers in one text are kept apart by their prefix.
 */
export async function explainLog(
  signatures: CompiledSignatures,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: ExplainOptions,
): Promise<ExplainedLog> {
  const search = signatures.search(options.component);
  const sources = new Map<string, RunHits>();
  const lines = candidateLines(search.automaton, (bytes, number, states) => {
    const { source, line } = sourcedLine(bytes);
    let hits = sources.get(source);
    if (!hits) {
      hits = runHits(search);
      sources.set(source, hits);
    }
    hits.add(line, number, states);
  });
  for await (const chunk of chunks) lines.write(chunk);
  const count = lines.end();
  const hits = [...sources].flatMap(([source, run]) =>
    run.hits().map(hit => ({
      signature: hit.signature.id,
      means: hit.signature.means,
      rules: hit.signature.rules,
      marker: hit.signature.marker,
      source,
      count: hit.count,
      first: hit.first,
      last: hit.last,
      level: hit.level,
      sample: cleanLine(hit.newest),
      captured: Object.fromEntries(Object.entries(hit.captured).map(([name, value]) => [name, cleanLine(value)])),
      lastLine: hit.lastLine,
    })),
  );
  hits.sort((one, other) => Number(one.marker) - Number(other.marker) || other.lastLine - one.lastLine);
  return {
    lines: count.lines,
    from: sourcedLine(count.firstHead).line.time,
    to: sourcedLine(count.lastHead).line.time,
    hits: hits.map(({ lastLine: _, ...hit }) => hit),
  };
}

function sourcedLine(bytes: Uint8Array): { readonly source: string; readonly line: LogLine } {
  const whole = logLine(bytes);
  const prefix = PREFIX.exec(whole.text);
  const inner = prefix ? withoutApiTime(whole.text.slice(prefix[0].length)) : whole;
  const time = inner.time || whole.time || ownTime(inner.text);
  return { source: prefix?.[1] ?? '', line: { text: inner.text, time } };
}
