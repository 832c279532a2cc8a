import { GapSignal } from '../../model/gap.ts';
import type { Action, Json, PlanInput, Target } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { refuseCredentials } from '../credentials.ts';
import { rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { PROMETHEUS_ACCESS, prometheusResource, resourceDraft } from '../prometheus-resource.ts';
import { nameOf } from '../targets.ts';
import { isReady } from '../workloads.ts';

/** What Thanos expects of a Prometheus: blocks of two hours, never joined on its disk. */
const BLOCK = 7200;
const DURATIONS = /^storage\.tsdb\.(?:min|max)-block-duration$/;
/** Seconds of data below which no two blocks can have been joined yet. */
const TOO_YOUNG = 5 * 3600;

export const action: Action = {
  id: 'prometheus.set-block-duration',
  title: 'leave compaction to Thanos',
  risk: 'restart',
  parameters: { prometheus: 'needed' },
  access: [
    ...PROMETHEUS_ACCESS,
    { verbs: ['list'], group: '', resource: 'pods' },
    { verbs: ['get'], group: '', resource: 'pods/proxy' },
  ],
  async plan(input) {
    const resource = await prometheusResource(input);
    const { target, object } = resource;
    const given = object.spec?.additionalArgs as readonly { readonly name: string }[] | undefined;
    refuseCredentials(given, nameOf(target));
    const rest = given?.filter(({ name }) => !DURATIONS.test(name));
    const draft = resourceDraft(
      resource,
      `write blocks of two hours in Prometheus ${target.name}, and join none`,
      [
        [['spec', 'disableCompaction'], true],
        // Taken away, the API server would write its default there.
        ...(object.spec?.thanos?.blockSize ? [[['spec', 'thanos', 'blockSize'], '2h'] as const] : []),
        ...(given && rest && rest.length < given.length
          ? [[['spec', 'additionalArgs'], rest.length > 0 ? (rest as unknown as Json) : undefined] as const]
          : []),
      ],
      {
        guards: [
          await guard(
            'operator-sets-durations',
            'the operator knows that blocks are uploaded',
            () =>
              (object.spec?.thanos?.objectStorageConfig ?? object.spec?.thanos?.objectStorageConfigFile) !==
                undefined ||
              `${nameOf(target)} has no thanos.objectStorageConfig: the operator would not set the durations`,
          ),
          await guard('no-large-local-blocks', 'no block was joined that the bucket lacks', () =>
            noLargeBlocks(input, target, object),
          ),
        ],
        riskText: 'the pods restart one after another, and each replays its log first',
        verify: {
          what: `${input.finding.rule} is healthy, and its pods run with blocks of two hours`,
          seconds: 600,
          signals: [{ is: 'prometheus-flag', prometheus: nameOf(target), flag: 'blockDurations', seconds: BLOCK }],
        },
        mends: true,
      },
    );
    return draft;
  },
};

interface LocalBlock {
  readonly ulid: string;
  readonly minTime: number;
  readonly maxTime: number;
  readonly compaction?: { readonly sources?: readonly string[] };
}

/** A sidecar never uploads a joined block: what only such a one holds would go with the local retention. */
async function noLargeBlocks(input: PlanInput, target: Target, object: RawObject): Promise<true | string> {
  const labels = `operator.prometheus.io/name=${target.name}`;
  const pods = await input.api.list('', 'pods', target.namespace, labels);
  if (pods.length === 0) return 'it has no pod whose blocks could be asked for';
  for (const pod of pods) {
    const blocks = await localBlocks(input, pod, object);
    if (blocks === undefined) {
      if (await isYoung(input, pod)) continue;
      return `which blocks ${pod.metadata.name} has cannot be told: this version does not say, and its data are old enough for joined ones`;
    }
    const large = blocks.filter(({ minTime, maxTime }) => maxTime - minTime > BLOCK * 1000);
    if (large.length === 0) continue;
    const uploaded = await uploadedSources(input);
    const lost = large.find(({ ulid, compaction }) =>
      (compaction?.sources ?? [ulid]).some(source => !uploaded.has(source)),
    );
    if (lost) return `block ${lost.ulid} of ${pod.metadata.name} was joined, and the bucket does not have all of it`;
  }
  return true;
}

/** Blocks as the pod itself tells them; undefined where its version does not, or it does not answer. */
async function localBlocks(
  { api }: PlanInput,
  pod: RawObject,
  { spec }: RawObject,
): Promise<readonly LocalBlock[] | undefined> {
  if (!isReady(pod) && !prometheusReady(pod)) return undefined;
  const place = { namespace: pod.metadata.namespace, pod: pod.metadata.name, port: 9090, scheme: schemeOf(spec) };
  const prefix = String(spec?.routePrefix ?? '').replace(/\/$/, '');
  const { status, text } = await api.podAnswer(place, `${prefix}/api/v1/status/tsdb/blocks`);
  if (status !== 200) return undefined;
  try {
    const blocks = JSON.parse(text)?.data?.blocks;
    return Array.isArray(blocks) ? blocks : undefined;
  } catch {
    return undefined;
  }
}

function schemeOf(spec: RawObject): '' | 'https' {
  return spec?.web?.tlsConfig ? 'https' : '';
}

/** Beside a sidecar that does not start, the pod is not ready, and its Prometheus is. */
function prometheusReady(pod: RawObject): boolean {
  return (pod.status?.containerStatuses ?? []).some(
    (status: RawObject) => status.ready === true && /(?:^|\/)prometheus(?:[:@]|$)/.test(String(status.image ?? '')),
  );
}

async function isYoung({ evidence }: PlanInput, pod: RawObject): Promise<boolean> {
  const key = `Pod ${pod.metadata.namespace}/${pod.metadata.name}`;
  const row = (await rowsOf(evidence, 'prometheus.metrics')).find(one => one.pod.key === key);
  const age = (evidence.takenAt - Date.parse(row?.oldestSample ?? '')) / 1000;
  return age >= 0 && age < TOO_YOUNG;
}

async function uploadedSources({ fleet }: PlanInput): Promise<ReadonlySet<string>> {
  const buckets = await rowsOf(fleet, 'bucket.blocks');
  if (buckets.length === 0) throw new GapSignal({ reason: 'not-found', detail: 'no bucket was listed' });
  return new Set(
    buckets.flatMap(bucket => (bucket.blocks as readonly RawObject[]).flatMap(block => block.sources as string[])),
  );
}
