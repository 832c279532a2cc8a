import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, fetched } from '../collector.ts';
import { failureKind, NO_ANSWER } from '../components/endpoint-errors.ts';
import { type Component, collector as componentsCollector } from '../derived/thanos.components.ts';
import { collector as endpointsCollector } from '../derived/thanos.query-endpoints.ts';
import { gapsIn, known } from '../gaps.ts';
import { cleanLine } from '../logs/clean-line.ts';
import { linesWith } from '../logs/lines-with.ts';
import { withoutApiTime } from '../logs/log-line.ts';
import { age, malformed } from '../objects.ts';
import { collector as probeCollector } from './network.probe.ts';

const SHAPE = {
  /** '' while the Query has it; else refused, no-route, timeout, silent, not-ready, tls-mismatch, …, or unlisted. */
  kind: 'str',
  /** Nothing answered: neither a program nor a proxy. A gap where that could not be found out. */
  noAnswer: 'bool',
  /** stores, log or probe: where the kind was read. */
  by: 'str',
  words: 'str',
  count: 'int',
  first: 'time',
  last: 'time',
  lastAge: 'int',
  containerKey: 'str',
  sample: 'str',
} as const;

type Shape = ShapeOf<typeof SHAPE>;

const NOTHING: Shape = {
  kind: '',
  noAnswer: false,
  by: '',
  words: '',
  count: 0,
  first: '',
  last: '',
  lastAge: -1,
  containerKey: '',
  sample: '',
};

/** Seconds: what the log says of an address is believed for as long. */
const LOG_WINDOW = 600;
/** One of these stands in every line that is looked at. */
const TELLING = ['address=', 'failed to lookup', 'failed to resolve'];

export const collector = fetched({
  id: 'thanos.endpoint-reach',
  about: 'Why a Query does not have one endpoint: by its own list, else by its log, else by a probe from here.',
  params: ['query', 'endpoint'],
  needs: [{ verbs: ['get'], group: '', resource: 'pods/log' }],
  shape: SHAPE,
  async collect(context): Promise<Shape> {
    const { query = '', endpoint: name = '' } = context.params;
    const endpoints = await context.get(endpointsCollector);
    const endpoint = known(endpoints).find(row => row.query.key === query && row.name === name);
    if (!endpoint) throw new GapSignal(gapsIn(endpoints)[0] ?? malformed(`${query} was not given ${name}`).gap);
    if (endpoint.state !== 'down') return NOTHING;
    if (endpoint.errorKind !== 'unlisted') {
      const { errorKind, error, failedCheck } = endpoint;
      return told(errorKind, { by: 'stores', words: error, last: failedCheck, lastAge: age(context, failedCheck) });
    }
    const gaps: Gap[] = [];
    const wanted = new Set([...endpoint.failing, name]);
    const line = await newestLine(context, query, wanted, gaps);
    if (line) return told(failureKind(line.sample ?? ''), line);
    const probed = await probe(context, name, endpoint.outside);
    if (probed) return told(probed, { by: 'probe', words: `a connection from here: ${probed}` });
    if (!endpoint.outside && endpoint.readyPods.length === 0)
      return { ...told('unlisted', { by: 'stores' }), noAnswer: true };
    throw new GapSignal(
      gaps[0] ?? {
        reason: 'not-found',
        detail: `neither the Query's log nor a probe says why it does not list ${name}`,
      },
    );
  },
});

function told(kind: string, more: Partial<Shape>): Shape {
  return { ...NOTHING, ...more, kind, noAnswer: NO_ANSWER.has(kind) };
}

async function newestLine(
  context: Context,
  query: string,
  addresses: ReadonlySet<string>,
  gaps: Gap[],
): Promise<Partial<Shape> | undefined> {
  let newest: (Partial<Shape> & { last: string }) | undefined;
  for (const component of known(await context.get(componentsCollector))) {
    if (component.component !== 'query' || component.subject.key !== query || !component.running) continue;
    try {
      const found = await readLog(context, component, addresses);
      if (found && (!newest || found.last > newest.last)) newest = found;
    } catch (error) {
      if (!(error instanceof GapSignal)) throw error;
      gaps.push(error.gap);
    }
  }
  return newest;
}

/** The newest failure of one of the addresses, unless the Query has connected to it since. */
async function readLog(
  context: Context,
  component: Component,
  addresses: ReadonlySet<string>,
): Promise<(Partial<Shape> & { last: string }) | undefined> {
  const { namespace, name } = component.pod;
  const answer = await context.source.logs({ namespace, pod: name, container: component.container, previous: false });
  if (answer.is === 'none') return undefined;
  let count = 0;
  let first = '';
  let found: { last: string; sample: string } | undefined;
  for await (const whole of linesWith(answer.chunks, TELLING)) {
    const address = /\baddress=(\S+)/.exec(whole)?.[1];
    const failed = /update of (?:endpoint|node|store node) failed/.test(whole);
    if (address === undefined ? !isLookup(whole, addresses) : !addresses.has(address.toLowerCase())) continue;
    const { text, time } = withoutApiTime(whole);
    if (whole.includes('adding new ')) {
      found = undefined;
      count = 0;
      first = '';
    } else if (failed || address === undefined) {
      count += 1;
      first ||= time;
      found = { last: time, sample: cleanLine(text) };
    }
  }
  if (!found || age(context, found.last) > LOG_WINDOW) return undefined;
  const { last, sample } = found;
  return {
    by: 'log',
    words: sample,
    sample,
    count,
    first,
    last,
    lastAge: age(context, last),
    containerKey: component.containerKey,
  };
}

function isLookup(line: string, addresses: ReadonlySet<string>): boolean {
  if (!/failed to (?:lookup|resolve)/.test(line)) return false;
  return [...addresses].some(address => line.includes(address.replace(/:[0-9]+$/, '')));
}

/** What a connection from here ends in; only an address outside can be judged from here, and only its silence counts. */
async function probe(context: Context, endpoint: string, outside: boolean): Promise<string> {
  if (!outside) return '';
  try {
    const { tcp } = await context.get(probeCollector, { endpoint });
    return (
      { refused: 'refused', timeout: 'timeout', unroutable: 'no-route', unresolved: 'unresolved' }[tcp as string] ?? ''
    );
  } catch (error) {
    if (error instanceof GapSignal) return '';
    throw error;
  }
}
