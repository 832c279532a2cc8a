import { createHash } from 'node:crypto';
import type { Action, PlanInput, Step } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { canonical } from '../changes.ts';
import { recordOf, rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { Refusal } from '../refusal.ts';
import { existing } from '../steps.ts';
import { targetOf } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';
import { controllerOf } from '../workloads.ts';

type Labels = Readonly<Record<string, string>>;

/** Labels that tell one pod or one revision from the next. */
const PASSING =
  /^(?:pod-template-hash|pod-template-generation|controller-revision-hash|statefulset\.kubernetes\.io\/pod-name|apps\.kubernetes\.io\/pod-index)$/;

/** Who is to reach whom at which port. Pods of one owner are one side. */
interface Opening {
  readonly namespace: string;
  readonly to: Labels;
  readonly peers: { readonly namespace: string; readonly labels: Labels; readonly port: number }[];
}

interface Closed {
  readonly from: RawObject;
  readonly to: RawObject;
  readonly port: number;
}

export const action: Action = {
  id: 'network.allow-scrape',
  title: 'let Prometheus reach what it scrapes',
  risk: 'change',
  parameters: { policy: 'needed' },
  access: [
    { verbs: ['get', 'create', 'delete'], group: 'networking.k8s.io', resource: 'networkpolicies' },
    { verbs: ['get', 'list'], group: '', resource: 'pods' },
  ],
  async plan(input) {
    const policy = input.parameters.policy ?? '';
    const row = (await rowsOf(input.evidence, 'network.blocked-paths')).find(one => one.policy.key === policy);
    if (!row) throw new Refusal('effect-decidable', `what ${policy} closes is not known`);
    const closed = await closedPaths(input, row);
    const openings = openingsFor(closed);
    const steps = openings.map(stepFor);
    return {
      steps,
      guards: [
        await guard('only-scrapes', 'nothing but scrapes is closed', () => {
          const other = (row.paths as readonly RawObject[]).find(({ purpose }) => purpose !== 'scrape');
          return (!other && row.direction === 'ingress') || `it closes ${other?.purpose ?? row.direction} too`;
        }),
        await guard('no-deny-rule', 'no rule denies it', () =>
          row.byRule ? `a rule of ${policy} denies it, and wins over every policy that allows` : true,
        ),
        await guard('effect-decidable', 'the scrapes are closed, and would be open', async () => {
          for (const { from, to, port } of closed) {
            const effect = await recordOf(input.evidence, 'network.policy-effects', {
              from: placeOf(from),
              to: placeOf(to),
              port: String(port),
            });
            if (effect.verdict !== 'denied') return `${placeOf(from)} to ${placeOf(to)} is ${effect.verdict}`;
            // Egress is judged first: one that is denied there stays denied.
            if (effect.direction !== 'ingress') return `${placeOf(from)} may not leave its side either`;
          }
          return true;
        }),
        await guard('peer-labels-narrow', 'it allows these pods, and no others', () =>
          isNarrow(input, openings, closed),
        ),
      ],
      riskText: 'Prometheus reaches these ports from then on',
      verify: {
        what: `${input.finding.rule} is healthy, and the targets are up`,
        seconds: 180,
        signals: [{ is: 'pods-scraped', pods: [...new Set(closed.map(({ to }) => `Pod ${placeOf(to)}`))] }],
      },
      undo: { what: 'deletes what was created', steps: undoStepsOf(steps) },
    };
  },
};

function placeOf({ metadata }: RawObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

async function closedPaths({ api }: PlanInput, row: RawObject): Promise<readonly Closed[]> {
  const pods = new Map<string, RawObject>();
  const podAt = async (place: string): Promise<RawObject> => {
    const [namespace = '', name = ''] = place.split('/');
    if (name === '') throw new Refusal('effect-decidable', `${place} is no pod`);
    const found = pods.get(place) ?? (await existing(api, targetOf('Pod', namespace, name)));
    pods.set(place, found);
    return found;
  };
  const closed: Closed[] = [];
  for (const { from, to, port } of row.paths as readonly RawObject[]) {
    closed.push({ from: await podAt(from), to: await podAt(to), port });
  }
  return closed;
}

function lastingLabels({ metadata }: RawObject): Labels {
  const labels = Object.entries((metadata.labels ?? {}) as Labels).filter(([name]) => !PASSING.test(name));
  if (labels.length === 0)
    throw new Refusal('peer-labels-narrow', `pod ${metadata.name} has no labels by which it could be named`);
  return Object.fromEntries(labels);
}

function openingsFor(closed: readonly Closed[]): readonly Opening[] {
  const openings = new Map<string, Opening>();
  for (const { from, to, port } of closed) {
    const target = lastingLabels(to);
    const { namespace } = to.metadata;
    const key = canonical([namespace, target]);
    const opening: Opening = openings.get(key) ?? { namespace, to: target, peers: [] };
    const peer = { namespace: from.metadata.namespace, labels: lastingLabels(from), port };
    if (!opening.peers.some(other => canonical(other) === canonical(peer))) opening.peers.push(peer);
    openings.set(key, opening);
  }
  return [...openings.values()];
}

/** A plain NetworkPolicy: it allows beside those of Cilium too. */
function stepFor({ namespace, to, peers }: Opening): Step {
  const spec = {
    podSelector: { matchLabels: to },
    policyTypes: ['Ingress'],
    ingress: peers.map(peer => ({
      from: [
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': peer.namespace } },
          podSelector: { matchLabels: peer.labels },
        },
      ],
      ports: [{ protocol: 'TCP', port: peer.port }],
    })),
  };
  const hash = createHash('sha256').update(canonical(spec)).digest('hex').slice(0, 8);
  const target = targetOf('NetworkPolicy', namespace, `thanos-doctor-allow-${hash}`);
  const object = { apiVersion: 'networking.k8s.io/v1', metadata: {}, spec };
  const ports = [...new Set(peers.map(({ port }) => port))].join(', ');
  return { do: 'create', title: `allow the scrape of port ${ports} in ${namespace}`, target, object };
}

/**
 * The labels take the pods of the same owners, and no others. A pod that no policy had selected before would be closed
 * to everybody else by the new one.
 */
async function isNarrow(
  { api }: PlanInput,
  openings: readonly Opening[],
  closed: readonly Closed[],
): Promise<true | string> {
  const owners = new Set(closed.flatMap(({ from, to }) => [ownerOf(from), ownerOf(to)]));
  for (const { namespace, to, peers } of openings) {
    for (const side of [{ namespace, labels: to }, ...peers]) {
      const selector = Object.entries(side.labels).map(([name, value]) => `${name}=${value}`);
      const pods = await api.list('', 'pods', side.namespace, selector.join(','));
      const stranger = pods.find(pod => !owners.has(ownerOf(pod)));
      if (stranger) return `the labels of these pods take ${placeOf(stranger)} too`;
    }
  }
  return true;
}

function ownerOf(pod: RawObject): string {
  const controller = controllerOf(pod);
  return controller ? `${pod.metadata.namespace}/${controller.kind}/${controller.name}` : placeOf(pod);
}
