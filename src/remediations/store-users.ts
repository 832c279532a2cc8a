import type { ApiReader, Target } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { targetOf } from './targets.ts';

/** A workload that reads a Secret, and the Thanos component that does. */
export interface StoreUser {
  readonly target: Target;
  readonly object: RawObject;
  readonly container: RawObject;
  readonly component: string;
}

/** Readers first: they prove a configuration without a log replay. */
const ORDER = ['store', 'compact', 'rule', 'receive', 'other', 'sidecar'];

/** The workloads whose containers read this Secret, by environment or volume, in the order in which they are restarted. */
export async function usersOfSecret(api: ApiReader, secret: Target): Promise<readonly StoreUser[]> {
  const users: StoreUser[] = [];
  for (const [kind, resource] of [
    ['StatefulSet', 'statefulsets'],
    ['Deployment', 'deployments'],
    ['DaemonSet', 'daemonsets'],
  ] as const) {
    for (const object of await api.list('apps', resource, secret.namespace)) {
      const container = containerThatReads(object, secret.name);
      if (!container || object.spec?.replicas === 0) continue;
      const target = targetOf(kind, secret.namespace, object.metadata.name);
      users.push({ target, object: { kind, ...object }, container, component: componentOf(container) });
    }
  }
  return users.sort((a, b) => ORDER.indexOf(a.component) - ORDER.indexOf(b.component));
}

function containerThatReads(object: RawObject, secret: string): RawObject | undefined {
  const { containers = [], volumes = [] } = object.spec?.template?.spec ?? {};
  const mounted = new Set(
    volumes
      .filter(
        (volume: RawObject) =>
          volume.secret?.secretName === secret ||
          (volume.projected?.sources ?? []).some((source: RawObject) => source.secret?.name === secret),
      )
      .map((volume: RawObject) => volume.name),
  );
  return containers.find(
    (container: RawObject) =>
      (container.env ?? []).some((variable: RawObject) => variable.valueFrom?.secretKeyRef?.name === secret) ||
      (container.envFrom ?? []).some((source: RawObject) => source.secretRef?.name === secret) ||
      (container.volumeMounts ?? []).some((mount: RawObject) => mounted.has(mount.name)),
  );
}

function componentOf(container: RawObject): string {
  const words: readonly string[] = [...(container.command ?? []), ...(container.args ?? [])];
  return ORDER.find(name => words.includes(name)) ?? 'other';
}

/** The Prometheus container beside a sidecar, or undefined. */
export function prometheusIn(object: RawObject): RawObject | undefined {
  return (object.spec?.template?.spec?.containers ?? []).find((container: RawObject) =>
    /(?:^|\/)prometheus(?:[:@]|$)/.test(String(container.image ?? '')),
  );
}

/** The value of a flag such as `--storage.tsdb.retention.time`; undefined where it is not given. */
export function flagOf(container: RawObject | undefined, flag: string): string | undefined {
  const words: readonly string[] = [...(container?.command ?? []), ...(container?.args ?? [])];
  const joined = words.find(word => word.startsWith(`${flag}=`));
  if (joined) return joined.slice(flag.length + 1);
  const at = words.indexOf(flag);
  return at >= 0 ? words[at + 1] : undefined;
}
