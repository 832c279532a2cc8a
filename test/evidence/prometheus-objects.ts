import type { HttpAnswer, HttpRequest, RawObject } from '../../src/model/source.ts';
import { ago, type FakeCluster } from './fake-source.ts';
import { metadata, pod, running, waiting, workload } from './raw-objects.ts';

/** A Prometheus resource as the operator's API has it. */
export function prometheus(name: string, spec: RawObject = {}, status: RawObject = reconciled()): RawObject {
  return {
    metadata: { ...metadata(name), generation: 1 },
    spec: {
      replicas: 1,
      serviceMonitorSelector: { matchLabels: { release: 'x' } },
      serviceMonitorNamespaceSelector: {},
      ...spec,
    },
    status,
  };
}

export function reconciled(more: RawObject = {}): RawObject {
  const condition = { status: 'True', reason: '', message: '', observedGeneration: 1, lastTransitionTime: ago(600) };
  return {
    conditions: [
      { type: 'Available', ...condition },
      { type: 'Reconciled', ...condition, ...more },
    ],
  };
}

interface PodOptions {
  readonly status?: RawObject;
  readonly args?: readonly string[];
  readonly sidecar?: boolean;
  readonly ready?: boolean;
}

/** A pod of that Prometheus, as the operator makes it. */
export function prometheusPod(name: string, ordinal: number, options: PodOptions = {}): RawObject {
  return pod(`prometheus-${name}-${ordinal}`, {
    owner: { kind: 'StatefulSet', name: `prometheus-${name}` },
    ready: options.ready ?? true,
    conditions: [
      { type: 'Ready', status: options.ready === false ? 'False' : 'True', lastTransitionTime: ago(500) },
      { type: 'ContainersReady', status: options.ready === false ? 'False' : 'True', lastTransitionTime: ago(500) },
    ],
    volumes: [{ name: 'db', persistentVolumeClaim: { claimName: `db-${ordinal}` } }],
    containers: [
      {
        name: 'prometheus',
        image: 'quay.io/prometheus/prometheus:v3.6.0',
        args: ['--storage.tsdb.path=/prometheus', '--storage.tsdb.min-block-duration=2h', ...(options.args ?? [])],
        ports: [{ name: 'http-web', containerPort: 9090 }],
        volumeMounts: [{ name: 'db', mountPath: '/prometheus' }],
        resources: { limits: { memory: '1Gi' } },
        status: options.status ?? running(),
      },
      ...(options.sidecar
        ? [
            {
              name: 'thanos-sidecar',
              image: 'quay.io/thanos/thanos:v0.39.2',
              args: ['sidecar', '--objstore.config=$(OBJSTORE_CONFIG)'],
              env: [{ name: 'OBJSTORE_CONFIG', valueFrom: { secretKeyRef: { name: 's3', key: 'objstore.yml' } } }],
              status: options.ready === false ? waiting('CreateContainerConfigError') : running(),
            },
          ]
        : []),
    ],
  });
}

export function prometheusSet(name: string, replicas = 1): RawObject {
  return workload(`prometheus-${name}`, { owner: { kind: 'Prometheus', name }, spec: { replicas } });
}

type Answers = (request: HttpRequest) => Partial<HttpAnswer> | string | undefined;

/** A cluster with that Prometheus; what it is asked for over HTTP, `answers` says by path. */
export function clusterOf(
  objects: FakeCluster['objects'] = {},
  answers: Readonly<Record<string, unknown>> | Answers = {},
): FakeCluster {
  const http: Answers =
    typeof answers === 'function'
      ? answers
      : ({ path }) => {
          const answer = answers[path];
          if (answer === undefined || typeof answer === 'string') return answer as string | undefined;
          return JSON.stringify(answer);
        };
  const group = 'monitoring.coreos.com';
  return {
    objects: {
      pods: [prometheusPod('p', 0)],
      'apps/replicasets': [],
      'apps/statefulsets': [prometheusSet('p')],
      'apps/deployments': [],
      services: [],
      namespaces: [{ metadata: metadata('m', { namespace: '' }) }],
      persistentvolumeclaims: [],
      'discovery.k8s.io/endpointslices': [],
      configmaps: [],
      [`${group}/prometheuses`]: [prometheus('p')],
      [`${group}/prometheusagents`]: null,
      [`${group}/alertmanagers`]: null,
      [`${group}/thanosrulers`]: null,
      [`${group}/servicemonitors`]: [],
      [`${group}/podmonitors`]: [],
      [`${group}/probes`]: [],
      [`${group}/scrapeconfigs`]: null,
      [`${group}/prometheusrules`]: [],
      ...objects,
    },
    http,
  };
}

/** Prometheus' envelope. */
export function success(data: unknown): unknown {
  return { status: 'success', data };
}
