import type { Gap } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import type { Context } from '../collector.ts';
import { collector as ciliumPoliciesCollector } from '../collectors/cilium.network-policies.ts';
import { collector as namespacesCollector } from '../collectors/kubernetes.namespaces.ts';
import { collector as policiesCollector } from '../collectors/kubernetes.network-policies.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { gapsIn, known, listOrGap } from '../gaps.ts';
import { ciliumPolicy } from './cilium-policies.ts';
import type { PodPeer, PolicyOpinion } from './connection.ts';
import { kubernetesPolicy } from './kubernetes-policies.ts';

type Pod = ShapeOf<(typeof podsCollector)['shape']>[number];

export interface Policies {
  readonly all: readonly PolicyOpinion[];
  /** Policies that could not be read: what is closed by another one stays closed, what is open is not known. */
  readonly gaps: readonly Gap[];
}

export async function policiesOf(context: Context, cilium: boolean): Promise<Policies> {
  const [kubernetes, ciliums] = await Promise.all([
    listOrGap(context.get(policiesCollector)),
    listOrGap(context.get(ciliumPoliciesCollector)),
  ]);
  return {
    all: [
      ...known(kubernetes).map(row => kubernetesPolicy(row, !cilium)),
      ...known(ciliums).map(row => ciliumPolicy(row)),
    ],
    gaps: gapsIn([...kubernetes, ...ciliums]),
  };
}

/** Pods as policies see them, by key. */
export async function podPeers(context: Context): Promise<ReadonlyMap<string, PodPeer>> {
  const [pods, namespaces] = await Promise.all([
    context.get(podsCollector),
    listOrGap(context.get(namespacesCollector)),
  ]);
  const labels = new Map(known(namespaces).map(one => [one.name, one.labels]));
  return new Map(
    known(pods)
      .filter(pod => !pod.history)
      .map(pod => [
        pod.key,
        peerOf(pod, labels.get(pod.namespace) ?? { 'kubernetes.io/metadata.name': pod.namespace }),
      ]),
  );
}

function peerOf(pod: Pod, namespaceLabels: Readonly<Record<string, string>>): PodPeer {
  return {
    is: 'pod',
    key: pod.key,
    namespace: pod.namespace,
    name: pod.name,
    labels: pod.labels,
    namespaceLabels,
    serviceAccount: pod.serviceAccount,
    ip: pod.podIp,
    hostNetwork: pod.hostNetwork,
    ports: pod.containers.flatMap(one => one.ports),
  };
}
