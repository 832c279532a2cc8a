import type { ShapeOf } from '../../model/shape.ts';
import type { HttpAnswer } from '../../model/source.ts';
import { fetched } from '../collector.ts';
import { bodyOf } from '../components/ask.ts';
import { askEach, type Part, replicasOf } from '../components/replicas.ts';
import { gapOf } from '../gaps.ts';
import { list, malformed, REF, text } from '../objects.ts';

const ROW = {
  query: REF,
  pod: REF,
  containerKey: 'str',
  status: 'int',
  error: 'str',
  errorType: 'str',
  /** Stores that were left out; notes about the PromQL are none. */
  warnings: [{ address: 'str', text: 'str' }],
  count: 'float',
} as const;

type Row = ShapeOf<typeof ROW>;

const PATH = '/api/v1/query?query=count(up)&dedup=false&partial_response=true';

export const collector = fetched({
  id: 'thanos.query-answer',
  about: 'Whether one cheap query is answered in whole.',
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const part: Part<Row> = {
      fields: ['status', 'error', 'errorType', 'warnings', 'count'],
      async read(asker) {
        const answer = await asker.answer(PATH);
        // The API's own errors (400, 422, 503) are answers; what is no JSON is not.
        const body = parse(answer);
        const [, value] = list(list(body?.data?.result)[0]?.value);
        return {
          status: answer.status,
          error: text(body?.error),
          errorType: text(body?.errorType),
          warnings: list(body?.warnings).map(text).filter(isAboutStores).map(warning),
          count: Number(text(value)),
        };
      },
    };
    const replicas = await replicasOf(context, ['query']);
    return askEach<Row>(
      context,
      { id: 'thanos.query-answer', core: false },
      replicas.filter(replica => gapOf(replica) || replica.running),
      replica => ({ query: replica.subject, pod: replica.pod, containerKey: replica.containerKey }),
      [part],
    );
  },
});

function parse(answer: HttpAnswer) {
  try {
    return JSON.parse(answer.body);
  } catch {
    // Where it is an error without words of the API, the status says what is wrong.
    bodyOf(answer);
    throw malformed('the answer to a query is not JSON');
  }
}

function isAboutStores(words: string): boolean {
  return !/^PromQL (?:info|warning):/.test(words);
}

function warning(words: string) {
  return { address: /Addr: (\S+)/.exec(words)?.[1] ?? '', text: words.slice(0, 600) };
}
