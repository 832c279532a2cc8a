/** Kinds of things that are the same for every cluster: by them, causes are linked across clusters. */
const SHARED_KINDS = new Set(['Address', 'Endpoint', 'Bucket', 'ExternalLabels', 'Cluster', 'Host']);

const WORKLOADS = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob']);

/** `Kind namespace/name @cluster`, or `Kind name` for a kind that all clusters share. */
export function qualify(key: string, cluster: string): string {
  if (SHARED_KINDS.has(kindOfKey(key))) return key.replace(/ @[^ ]+$/, '');
  return key.includes(' @') ? key : `${key} @${cluster}`;
}

export function kindOfKey(key: string): string {
  const space = key.indexOf(' ');
  return space === -1 ? key : key.slice(0, space);
}

/** Whether a key is of one of the kinds; `Workload` stands for all kinds that own pods. */
export function isOfKind(key: string, kinds: readonly string[]): boolean {
  const kind = kindOfKey(key);
  return kinds.includes(kind) || (kinds.includes('Workload') && WORKLOADS.has(kind));
}

export function subjectKey(subject: {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}): string {
  return `${subject.kind} ${subject.namespace ? `${subject.namespace}/` : ''}${subject.name}`;
}
