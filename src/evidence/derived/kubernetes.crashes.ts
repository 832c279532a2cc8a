import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as eventsCollector } from '../collectors/kubernetes.events.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as logsCollector } from '../collectors/logs.signatures.ts';
import { findKnown, gapElement, gapOf, gapped, known, withUnknownFields } from '../gaps.ts';
import { cleanLine } from '../logs/clean-line.ts';
import { lastLines } from '../logs/last-lines.ts';
import { objectKey, REF } from '../objects.ts';
import { collector as containersCollector } from './kubernetes.containers.ts';

const HIT = {
  id: 'str',
  containerKey: 'str',
  count: 'int',
  last: 'time',
  sample: 'str',
  captured: 'map',
  /** Seconds from the line to the end of the run. */
  beforeEnd: 'int',
} as const;

const ROW = {
  containerKey: 'str',
  pod: REF,
  workload: REF,
  node: 'str',
  container: 'str',
  /** init, sidecar or main */
  kind: 'str',
  image: 'str',
  args: ['str'],
  mounts: ['str'],
  exitCode: 'int',
  reason: 'str',
  finished: 'time',
  finishedAge: 'int',
  /** Seconds that the last run took. */
  ranFor: 'int',
  restarts: 'int',
  hasProbe: 'bool',
  /**
   * The kubelet says that it ended it because a probe failed, or, where its events are gone, each run was as long as the
   * probe takes to fail and ended by a signal; liveness, startup or ''.
   */
  probe: 'str',
  /** What the log of the run that ended says. A log that could not be read, or not in whole, is a gap in it. */
  hits: [HIT],
  /** The last lines of that log, newest last. */
  lastLines: [{ containerKey: 'str', count: 'int', last: 'time', sample: 'str' }],
  /** Among them, those by which it rejects its configuration. */
  configErrors: [{ containerKey: 'str', count: 'int', last: 'time', sample: 'str' }],
  /** Among them, those by which something that it needs does not answer: `host` as the line writes it, `port` 0 if none. */
  unanswered: [
    { containerKey: 'str', count: 'int', last: 'time', sample: 'str', host: 'str', port: 'int', isName: 'bool' },
  ],
  /** Files that it could not use, as those lines say it. */
  files: [
    {
      path: 'str',
      /** no-space, read-only, io-error or not-permitted */
      trouble: 'str',
      /** Key of the claim below whose mount it lies; '' where it lies on none. */
      claim: 'str',
    },
  ],
  /** `host:port` of what showed it a certificate that has expired. */
  expiredAt: ['str'],
  /** Lines at the end of that run that mean something for one program alone: then its own rule is the cause. */
  owned: ['str'],
} as const;

type Crash = ShapeOf<typeof ROW>;
type Hit = Crash['hits'][number];
type Container = ShapeOf<(typeof containersCollector)['shape']>[number];
type Event = ShapeOf<(typeof eventsCollector)['shape']>[number];

/** Signatures of one program or of the object store; those of any program have other names. */
const OF_ONE_PROGRAM =
  /^(?:prometheus|sidecar|store|compact|bucket|rule|query|receive|objstore|s3|alertmanager|grafana|longhorn|csi|reloader|operator|coredns|minio|cilium)-/;
/** Signs of life, and lines that are no reason to end. */
const SIGN_OF_LIFE = /-(?:ready|settled|loaded|done)$/;
/** A reason to end stands at the end of the run (seconds). */
const NEAR_END = 60;
/** Lines at the end of a log that may say why it ended. */
const LAST_LINES = 50;
const SHOWN_LINES = 20;
/** An event of longer ago belongs to another loop (seconds). */
const RECENT = 1800;
/** The log's clock and the kubelet's are read apart (seconds). */
const TOLERANCE = 5;

export const collector = derived({
  id: 'kubernetes.crashes',
  about: 'Containers that start and end again and again, with the last exit and what the log of that run says.',
  needs: logsCollector.needs,
  shape: [ROW],
  async collect(context) {
    const rows: Crash[] = [];
    for (const container of await context.get(containersCollector)) {
      if (gapOf(container)) rows.push(container as never);
      else if (container.crashLooping && container.current && !container.podDeleting) {
        rows.push(await rowOf(container, context));
      }
    }
    return rows;
  },
});

async function rowOf(one: Container, context: Context): Promise<Crash> {
  const { namespace, name } = one.pod;
  const log = await gapped(context.get(logsCollector, { namespace, pod: name, container: one.container }));
  const gap = gapOf(log);
  const hits: readonly Hit[] = gap ? [gapElement(gap)] : log.hits.flatMap(hit => ofLastRun(hit, one));
  const read = await gapped(linesOfLastRun(one, context));
  const unread = gapOf(read);
  const lines: readonly Line[] = unread ? [gapElement(unread)] : read;
  const events = await gapped(context.get(eventsCollector));
  const unknownEvents = gapOf(events);
  const pod = findKnown(await context.get(podsCollector), other => other.key === one.pod.key);
  const volumes = pod?.volumes ?? [];
  const row: Crash = {
    containerKey: one.containerKey,
    pod: one.pod,
    workload: one.workload,
    node: one.node,
    container: one.container,
    kind: one.kind,
    image: one.image,
    args: one.args,
    mounts: one.mounts.map(mount => mount.path),
    exitCode: one.last.exitCode,
    reason: one.last.reason,
    finished: one.last.finished,
    finishedAge: one.last.finishedAge,
    ranFor: one.last.ranFor,
    restarts: one.restarts,
    hasProbe: one.probes.liveness.kind !== '' || one.probes.startup.kind !== '',
    probe: '',
    hits,
    lastLines: lines.slice(-SHOWN_LINES),
    configErrors: lines.filter(line => gapOf(line) || (isGrave(line) && CONFIG_ERROR.test(line.sample))),
    unanswered: lines.flatMap(line => (gapOf(line) ? [line as never] : isGrave(line) ? unansweredIn(line) : [])),
    files: lines.flatMap(line => (gapOf(line) ? [line as never] : fileIn(line, one, volumes))),
    expiredAt: lines.flatMap(line => (gapOf(line) ? [line as never] : expiredIn(line))),
    owned: hits.flatMap(hit => (gapOf(hit) ? [hit as never] : isOwned(hit) ? [hit.id] : [])),
  };
  const said = unknownEvents ? '' : probeThatKilled(one, known(events));
  const timed = said === '' ? probeByTime(one) : '';
  const isSignalled = timed !== '' && known(lines).some(line => SIGNALLED.test(line.sample));
  if (said !== '' || isSignalled) return { ...row, probe: said || timed };
  const unknown = unknownEvents ?? (timed === '' ? undefined : unread);
  if (!unknown) return row;
  const { probe: _, ...rest } = row;
  return withUnknownFields<Crash>(rest, unknown, ['probe']);
}

type Line = Crash['lastLines'][number];

/**
 * The end of the log of the run that ended: a container that waits has no newer one, of one that runs it is the log of
 * the run before.
 */
async function linesOfLastRun(
  { pod, container, containerKey, state }: Container,
  context: Context,
): Promise<readonly Line[]> {
  const request = { namespace: pod.namespace, pod: pod.name, container, previous: state === 'running' };
  const lines = await lastLines(context.source, request, LAST_LINES);
  return lines.map(({ text, time }) => ({ containerKey, count: 1, last: time, sample: cleanLine(text) }));
}

const INFORMATION = /\blevel="?(?:info|debug)\b/i;

function isGrave({ sample }: Line): boolean {
  return !INFORMATION.test(sample);
}

const CONFIG_ERROR =
  /yaml: unmarshal errors|yaml: line \d+|mapping values are not allowed|cannot unmarshal|parsing config|error loading config|loading configuration file failed|invalid configuration|failed to parse|json: unknown field|field \S+ not found in type|invalid character .* looking for|open \/\S+: no such file or directory/i;

const UNANSWERED: readonly RegExp[] = [
  /lookup (?<host>[^ :]+)(?: on \S+)?: (?:no such host|server misbehaving|i\/o timeout)/,
  /dial tcp (?<host>[^ ]+):(?<port>\d+): (?:connect: connection refused|i\/o timeout|connect: no route to host|connect: network is unreachable)/,
  /no endpoints available for service "(?<host>[^"]+)"/,
  /"?https?:\/\/(?<host>[^/:" ]+)(?::(?<port>\d+))?[^ ]*: context deadline exceeded/,
];

function unansweredIn(line: Line): Crash['unanswered'] {
  const found = UNANSWERED.map(pattern => pattern.exec(line.sample)).find(match => match !== null)?.groups;
  if (!found) return [];
  const host = (found.host ?? '').replace(/^\[|\]$/g, '');
  return [{ ...line, host, port: Number(found.port ?? 0), isName: !/^[\d.]+$|:/.test(host) }];
}

type Volume = ShapeOf<(typeof podsCollector)['shape']>[number]['volumes'][number];

const TROUBLES: Readonly<Record<string, string>> = {
  'no space left on device': 'no-space',
  'disk quota exceeded': 'no-space',
  'read-only file system': 'read-only',
  'input/output error': 'io-error',
  'permission denied': 'not-permitted',
};

const FILE =
  /(?<path>\/[^\s:"'\\]+)["'\\]*: (?<words>no space left on device|disk quota exceeded|read-only file system|input\/output error|permission denied)/i;

/** The innermost mount counts: one claim may be mounted below another. */
function fileIn({ sample }: Line, { pod, mounts }: Container, volumes: readonly Volume[]): Crash['files'] {
  const found = FILE.exec(sample)?.groups;
  if (!found) return [];
  const path = found.path!;
  const [mount] = mounts
    .filter(one => path === one.path || path.startsWith(one.path.endsWith('/') ? one.path : `${one.path}/`))
    .sort((first, second) => second.path.length - first.path.length);
  const volume = mount && volumes.find(one => one.name === mount.volume && one.kind === 'claim');
  const claim = volume ? objectKey('PersistentVolumeClaim', pod.namespace, volume.source) : '';
  return [{ path, trouble: TROUBLES[found.words!.toLowerCase()]!, claim }];
}

const EXPIRED = /x509: certificate has expired or is not yet valid: current time \S+ is after/;

function expiredIn({ sample }: Line): readonly string[] {
  if (!EXPIRED.test(sample)) return [];
  const url = /https:\/\/(?<host>\[[^\]]+\]|[^/:"\s\\]+)(?::(?<port>[0-9]+))?/.exec(sample)?.groups;
  return url ? [`${url.host!.toLowerCase()}:${url.port ?? '443'}`] : [];
}

function isOwned({ id, beforeEnd }: Hit): boolean {
  return OF_ONE_PROGRAM.test(id) && !SIGN_OF_LIFE.test(id) && beforeEnd <= NEAR_END;
}

type LogHit = ShapeOf<(typeof logsCollector)['shape']>['hits'][number];

/** Only lines of the run that ended say why it ended. */
function ofLastRun(hit: LogHit, { containerKey, last }: Container): readonly Hit[] {
  if (gapOf(hit)) return [hit as never];
  const finished = Date.parse(last.finished);
  const beforeEnd = Math.round((finished - Date.parse(hit.last)) / 1000);
  if (Number.isNaN(beforeEnd) || beforeEnd < -TOLERANCE || beforeEnd > last.ranFor + TOLERANCE) return [];
  const { id, count, sample, captured } = hit;
  return [{ id, containerKey, count, last: hit.last, sample, captured, beforeEnd: Math.max(0, beforeEnd) }];
}

/** What programs say when they are asked to end. */
const SIGNALLED = /caught signal|received an os signal|received signal|\bSIGTERM\b|signal[=: ]"?terminated/i;
/** Restarts from which a habit can be told. */
const HABIT = 3;
/** A run may be so much longer or shorter than the probe takes to fail. */
const ABOUT = 0.2;

/** The probe that every run known of was as long as. */
function probeByTime({ last, before, probes, restarts }: Container): string {
  if (restarts < HABIT) return '';
  const runs = [last, before].filter(one => one.finished !== '').map(one => one.ranFor);
  const fits = (budget: number) => budget > 0 && runs.every(run => Math.abs(run - budget) <= budget * ABOUT);
  if (probes.startup.kind !== '' && fits(probes.startup.budget)) return 'startup';
  return probes.liveness.kind !== '' && fits(probes.liveness.budget) ? 'liveness' : '';
}

/** The kubelet drops repeats of its events: the newest may belong to an earlier end than the last one. */
function probeThatKilled({ pod, container }: Container, events: readonly Event[]): string {
  const kill = events.find(
    ({ object, reason, message, lastAge }) =>
      object.uid === pod.uid &&
      reason === 'Killing' &&
      message.includes(`Container ${container} failed`) &&
      lastAge <= RECENT,
  );
  return /failed (liveness|startup) probe/.exec(kill?.message ?? '')?.[1] ?? '';
}
