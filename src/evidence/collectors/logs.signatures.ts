import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import type { LogAnswer } from '../../model/source.ts';
import { type Context, fetched } from '../collector.ts';
import { identify } from '../components/identify.ts';
import { collector as containersCollector } from '../derived/kubernetes.containers.ts';
import { gapElement, gapsIn, known } from '../gaps.ts';
import { cleanLine } from '../logs/clean-line.ts';
import { type ContainerRuns, isOpen, type Scans } from '../logs/healing.ts';
import { type RunHit, type RunScan, scanRun } from '../logs/run-scan.ts';
import type { CompiledSignatures } from '../logs/signatures.ts';
import { age, REF, ref } from '../objects.ts';

const SHAPE = {
  pod: REF,
  container: 'str',
  component: 'str',
  /** Lines that were read, of both runs. */
  lines: 'int',
  from: 'time',
  to: 'time',
  toAge: 'int',
  /** The run before was read as well. */
  previous: 'bool',
  /** One row a signature and run: what both runs say is there twice, and nothing is added up. */
  hits: [
    {
      id: 'str',
      count: 'int',
      first: 'time',
      last: 'time',
      lastAge: 'int',
      /** Nothing that heals it came after it. */
      open: 'bool',
      /** It stands in the log of the run before. */
      previous: 'bool',
      /** The newest line, without credentials. */
      sample: 'str',
      level: 'str',
      captured: 'map',
    },
  ],
} as const;

type Shape = ShapeOf<typeof SHAPE>;
type Hit = Shape['hits'][number];
type Container = ShapeOf<(typeof containersCollector)['shape']>[number];

/** The log of one run, as far as it could be read. */
interface Read {
  readonly scan: RunScan;
  /** Why reading broke off. */
  readonly gap: Gap | undefined;
}

export const collector = fetched({
  id: 'logs.signatures',
  about: 'Lines that mean something in the log of one container, of its current run and of the run before.',
  params: ['namespace', 'pod', 'container'],
  needs: [{ verbs: ['get'], group: '', resource: 'pods/log' }],
  shape: SHAPE,
  async collect(context): Promise<Shape> {
    const signatures = context.signatures;
    if (!signatures) {
      throw new GapSignal({ reason: 'not-asked', detail: 'no log signatures were given', notLookedAt: true });
    }
    const container = await containerOf(context);
    if (!container) return NO_LOG(context);
    return describe(context, container, await readRuns(context, container, signatures));
  },
});

/** Where a pod is known not to exist, it has no log. */
const NO_LOG = ({ params }: Context): Shape => ({
  pod: ref('Pod', params.namespace!, params.pod!),
  container: params.container!,
  component: '',
  lines: 0,
  from: '',
  to: '',
  toAge: -1,
  previous: false,
  hits: [],
});

async function containerOf(context: Context): Promise<Container | undefined> {
  const { namespace, pod, container } = context.params;
  const containers = await context.get(containersCollector);
  const found = known(containers).find(
    row => row.pod.namespace === namespace && row.pod.name === pod && row.container === container,
  );
  const [gap] = gapsIn(containers);
  if (!found && gap) throw new GapSignal(gap);
  return found;
}

interface Runs {
  readonly before: Read | undefined;
  readonly newest: Read | undefined;
}

/**
 * Reads the newest log, and that of the run before where there was one. A container that waits has no run of its own:
 * its log is that of the run that ended, and `previous` would be the same log once more.
 */
async function readRuns(context: Context, container: Container, signatures: CompiledSignatures): Promise<Runs> {
  const component = identify(container);
  const read = (previous: boolean) => readRun(context, previous, signatures, component);
  const newest = await read(false);
  const waits = container.state === 'waiting';
  if (container.restarts === 0 || (waits && newest)) return { before: undefined, newest };
  const before = await readBefore(read);
  if (newest && before && isSameRun(before.scan, newest.scan)) return { before: undefined, newest };
  return { before, newest };
}

/** What the current run says is known, even where the run before cannot be read. */
async function readBefore(read: (previous: boolean) => Promise<Read | undefined>): Promise<Read | undefined> {
  try {
    return await read(true);
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    return { scan: { lines: 0, from: '', to: '', hits: [] }, gap: error.gap };
  }
}

async function readRun(
  context: Context,
  previous: boolean,
  signatures: CompiledSignatures,
  component: string,
): Promise<Read | undefined> {
  const { namespace, pod, container } = context.params;
  const answer: LogAnswer = await context.source.logs({
    namespace: namespace!,
    pod: pod!,
    container: container!,
    previous,
  });
  if (answer.is === 'none') return undefined;
  const run = scanRun(signatures, component);
  try {
    for await (const chunk of answer.chunks) run.write(chunk);
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    return { scan: run.finish(), gap: { ...error.gap, path: error.gap.path || answer.path } };
  }
  return { scan: run.finish(), gap: undefined };
}

/** The kubelet may give the same run twice while a container is restarted: the logs then overlap in time. */
function isSameRun(before: RunScan, newest: RunScan): boolean {
  if (before.from === '' || newest.from === '') return false;
  return before.from === newest.from || Date.parse(newest.from) < Date.parse(before.to);
}

function describe(context: Context, container: Container, { before, newest }: Runs): Shape {
  const scans: Scans = { component: identify(container), before: before?.scan, newest: newest?.scan };
  const runs = runsOf(container);
  const row = (hit: RunHit, previous: boolean): Hit => ({
    id: hit.signature.id,
    count: hit.count,
    first: hit.first,
    last: hit.last,
    lastAge: age(context, hit.last),
    open: isOpen(hit, previous, scans, runs, context.takenAt),
    previous,
    sample: cleanLine(hit.newest),
    level: hit.level,
    captured: Object.fromEntries(Object.entries(hit.captured).map(([name, value]) => [name, cleanLine(value)])),
  });
  const read = [before, newest].filter(each => each !== undefined);
  const to = read.map(each => each.scan.to).findLast(time => time !== '') ?? '';
  const hits = [
    ...(newest?.scan.hits ?? []).map(hit => row(hit, false)),
    ...(before?.scan.hits ?? []).map(hit => row(hit, true)),
    ...read.filter(each => each.gap !== undefined).map(each => gapRow(each.gap!)),
  ];
  return {
    pod: container.pod,
    container: container.container,
    component: scans.component,
    lines: read.reduce((sum, each) => sum + each.scan.lines, 0),
    from: read.map(each => each.scan.from).find(time => time !== '') ?? '',
    to,
    toAge: age(context, to),
    previous: before !== undefined,
    hits,
  };
}

/** "There may be more": of lines that were not read, it is not known what they say. */
function gapRow(gap: Gap): Hit {
  const notLookedAt = gap.notLookedAt || gap.reason === 'not-in-bundle';
  return gapElement({ ...gap, evidence: 'logs.signatures', notLookedAt });
}

function runsOf(container: Container): ContainerRuns {
  return {
    running: container.state === 'running',
    runningAge: container.runningAge,
    beforeStarted: container.before.started,
    completed:
      container.state === 'terminated' &&
      container.last.exitCode === 0 &&
      (container.kind === 'init' || container.history),
  };
}
