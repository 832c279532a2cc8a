import { COLLECTORS } from '../evidence/catalogue.ts';
import { identify, type Running } from '../evidence/components/identify.ts';
import { gapsIn, known } from '../evidence/gaps.ts';
import { explainLog } from '../evidence/logs/explain-log.ts';
import { nearestName } from '../evidence/nearest-name.ts';
import { openEvidence } from '../evidence/store.ts';
import { GapSignal } from '../model/gap.ts';
import type { Source } from '../model/source.ts';
import { UserError } from '../model/user-error.ts';
import { NO_EXPECTATIONS } from './diagnose.ts';
import { componentNamed, type FileExplained } from './explain-logs.ts';
import { builtinSignatures } from './signature-files.ts';

export interface AskedPod {
  readonly pod: string;
  /** '' looks in all. */
  readonly namespace: string;
  /** '' reads all. */
  readonly container: string;
}

export interface PodLogs {
  readonly logs: readonly FileExplained[];
  /** Logs that could not be read, each with its reason. */
  readonly unread: readonly { readonly file: string; readonly detail: string }[];
}

interface Container extends Running {
  readonly pod: { readonly namespace: string; readonly name: string };
  readonly container: string;
  readonly restarts: number;
}

interface Found {
  readonly source: Source;
  readonly container: Container;
}

/**
 * Says what the known lines mean that the containers of a pod have logged, in their current run and in the one before.
 * Throws a `UserError` where no pod, or more than one, has that name.
 */
export async function explainPodLogs(sources: readonly Source[], asked: AskedPod, component: string): Promise<PodLogs> {
  const wanted = componentNamed(component);
  const found = await containersOf(sources, asked);
  const signatures = builtinSignatures();
  const logs: FileExplained[] = [];
  const unread: { file: string; detail: string }[] = [];
  for (const { source, container } of found) {
    const { namespace, name } = container.pod;
    const options = { component: wanted || identify(container) };
    // A container that was never restarted has no run before.
    for (const previous of container.restarts > 0 ? [true, false] : [false]) {
      const cluster = sources.length > 1 ? ` in ${source.cluster}` : '';
      const file = `pod/${namespace}/${name}/${container.container}${previous ? ' (previous)' : ''}${cluster}`;
      try {
        const answer = await source.logs({ namespace, pod: name, container: container.container, previous });
        if (answer.is === 'lines') logs.push({ file, ...(await explainLog(signatures, answer.chunks, options)) });
      } catch (error) {
        if (!(error instanceof GapSignal)) throw error;
        unread.push({ file, detail: error.gap.detail });
      }
    }
  }
  return { logs, unread };
}

async function containersOf(
  sources: readonly Source[],
  { pod, namespace, container }: AskedPod,
): Promise<readonly Found[]> {
  const { all, unread } = await allContainers(sources);
  const ofPod = all.filter(
    one => one.container.pod.name === pod && (namespace === '' || one.container.pod.namespace === namespace),
  );
  if (ofPod.length === 0) throw noSuchPod(pod, namespace, all, unread);
  const namespaces = new Set(ofPod.map(one => one.container.pod.namespace));
  if (namespaces.size > 1)
    throw new UserError(`there is a pod ${pod} in several namespaces: name one with -n`, [...namespaces].join(', '));
  const chosen = ofPod.filter(one => container === '' || one.container.container === container);
  if (chosen.length > 0) return chosen;
  const names = [...new Set(ofPod.map(one => one.container.container))];
  throw new UserError(`pod ${pod} has no container ${container}`, `containers: ${names.join(', ')}`);
}

async function allContainers(
  sources: readonly Source[],
): Promise<{ readonly all: readonly Found[]; readonly unread: readonly string[] }> {
  const { clusters } = openEvidence(sources, new Map(), {
    collectors: COLLECTORS,
    expectations: NO_EXPECTATIONS,
    concurrency: 4,
  });
  const all: Found[] = [];
  const unread: string[] = [];
  for (const store of clusters) {
    const evidence = await store.collect('kubernetes.containers', {});
    const source = sources.find(({ cluster }) => cluster === store.cluster)!;
    const rows = evidence.known ? (evidence.value as readonly Container[]) : [];
    for (const container of known(rows)) all.push({ source, container });
    unread.push(...(evidence.known ? gapsIn(rows) : [evidence.gap]).map(({ detail }) => detail));
  }
  return { all, unread };
}

function noSuchPod(pod: string, namespace: string, all: readonly Found[], unread: readonly string[]): UserError {
  const pods = [
    ...new Map(all.map(({ container }) => [`${container.pod.namespace}/${container.pod.name}`, container.pod])),
  ];
  const here = pods.filter(([, one]) => namespace === '' || one.namespace === namespace);
  const nearest = nearestName(pod, [...new Set(here.flatMap(([, { name }]) => [name, stem(name)]))]);
  const near = [
    ...pods.filter(([, { name }]) => name === pod),
    ...here.filter(([, { name }]) => nearest !== '' && (name === nearest || stem(name) === nearest)),
    ...here.filter(([, { name }]) => name.includes(pod)),
  ].map(([place]) => place);
  return new UserError(
    `there is no pod ${pod}${namespace === '' ? '' : ` in namespace ${namespace}`}`,
    ...[...new Set(near)].slice(0, 5).map((place, at) => (at === 0 ? `did you mean ${place}?` : `or ${place}`)),
    ...[...new Set(unread)].slice(0, 3).map(detail => `it may be where nobody could look: ${detail}`),
  );
}

/** The name of a pod without what its owner put behind it. */
function stem(name: string): string {
  return name.replace(/(?:-[a-z0-9]{6,10})?-[a-z0-9]{5}$|-\d+$/, '');
}
