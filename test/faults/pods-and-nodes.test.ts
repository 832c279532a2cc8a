import { describe, expect, test } from 'vitest';
import type { RawObject } from '../../src/model/source.ts';
import {
  CORDONED,
  cordoned,
  diskPressure,
  evicted,
  kubeletSilent,
  leaving,
  nodeOf,
  nodeUnready,
  TAINTED,
  tainted,
} from './nodes.ts';
import {
  ago,
  type Component,
  component,
  crashes,
  creating,
  event,
  inTemplate,
  notCreated,
  scaledToZero,
  surged,
  unscheduled,
  type Waits,
  waits,
} from './pods.ts';
import { diagnosed } from './recorded-world.ts';
import { expectFound } from './scenario.ts';
import { settled } from './settle.ts';

const crashAll = (what: Component, crash: Parameters<typeof crashes>[3]): void => {
  for (const pod of what.pods) crashes(what.world, pod, what.container, crash);
};

const waitAll = (what: Component, how: Waits): void => {
  for (const pod of what.pods) waits(what.world, pod, what.container, how);
};

type Place = readonly [cluster: 'hub' | 'edge', what: string];
const THANOS: readonly Place[] = ['query', 'store', 'compact', 'rule'].map(what => ['hub', what]);
const MONITORING: readonly Place[] = [
  ...THANOS,
  ...['grafana', 'alertmanager', 'operator'].map(what => ['hub', what] as const),
  ...['sidecar', 'alertmanager', 'operator'].map(what => ['edge', what] as const),
];
const SYSTEM: readonly Place[] = [
  ['hub', 'coredns'],
  ...[
    'coredns',
    'longhorn-manager',
    'csi-provisioner',
    'csi-attacher',
    'csi-plugin',
    'cilium-agent',
    'cilium-operator',
  ].map(what => ['edge', what] as const),
];
const ALL = [...MONITORING, ...SYSTEM];

const rootOf = (rule: string, what: Component) => [{ rule, cluster: what.world.cluster, subject: what.key }];
const nodeRoot = (rule: string, world: Component['world']) => [
  { rule, cluster: world.cluster, subject: `Node ${nodeOf(world)}` },
];

test('of a healthy fleet nothing follows', async () => {
  const report = await diagnosed('healthy-fleet', settled);
  expect(report.findings.filter(finding => finding.severity !== 'info')).toEqual([]);
});

describe('a container out of memory', () => {
  test.each(ALL)('%s: %s', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      crashAll(what, { exitCode: 137, reason: 'OOMKilled' });
      return { roots: rootOf('container-out-of-memory', what), symptoms: ['pod-crash-loops'] };
    });
  });

  test.each(MONITORING)('%s: %s, running again for the moment', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      for (const pod of what.pods) {
        what.world.edit('core/v1/pods', pod, ({ status }) => {
          const entry = status.containerStatuses.find((one: RawObject) => one.name === what.container);
          entry.restartCount = 3;
          entry.state = { running: { startedAt: ago(what.world, 25) } };
          entry.lastState = {
            terminated: {
              exitCode: 137,
              reason: 'OOMKilled',
              startedAt: ago(what.world, 100),
              finishedAt: ago(what.world, 26),
            },
          };
        });
      }
      return { roots: rootOf('container-out-of-memory', what) };
    });
  });

  test.each(THANOS)('%s: %s, whose limit a limit range set', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      crashAll(what, { exitCode: 137, reason: 'OOMKilled' });
      for (const pod of what.pods) {
        what.world.edit('core/v1/pods', pod, object => {
          object.metadata.annotations = {
            ...object.metadata.annotations,
            'kubernetes.io/limit-ranger': `LimitRanger plugin set: memory limit for container ${what.container}`,
          };
        });
      }
      what.world.edit(what.resource, what.name, workload => {
        for (const container of workload.spec.template.spec.containers) delete container.resources?.limits;
      });
      what.world.list('core/v1/limitranges', ranges => {
        const metadata = { name: 'small', namespace: what.namespace, creationTimestamp: ago(what.world, 400) };
        ranges.push({ metadata, spec: { limits: [{ type: 'Container', default: { memory: '512Mi' } }] } });
      });
      return {
        roots: [
          {
            rule: 'memory-limit-set-by-default',
            cluster: what.world.cluster,
            subject: `LimitRange ${what.namespace}/small`,
          },
        ],
        symptoms: ['container-out-of-memory', 'pod-crash-loops'],
      };
    });
  });
});

const BAD_FLAG: Readonly<Record<string, string>> = {
  alertmanager: "alertmanager: error: unknown long flag '--cluster.foo'",
  grafana: 'flag provided but not defined: -foo',
  operator: 'flag provided but not defined: -foo',
  coredns: 'flag provided but not defined: -foo',
  prometheus: "Error parsing command line arguments: unknown long flag '--storage.tsdb.foo'",
};

describe('an unknown flag', () => {
  test.each([...MONITORING, ['hub', 'coredns'] as Place])('%s: %s', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      const line = BAD_FLAG[name] ?? "thanos: error: unknown long flag '--endpoint.sd-config-file'";
      crashAll(what, { exitCode: name === 'operator' || name === 'coredns' ? 2 : 1, lines: [line] });
      return { roots: rootOf('container-exits-on-bad-flag', what), symptoms: ['pod-crash-loops'] };
    });
  });

  test('the new pod beside the old one', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'query');
      const pod = surged(what, () => {});
      crashes(hub, pod, what.container, { lines: ["thanos: error: unknown long flag '--foo'"] });
      return { roots: rootOf('container-exits-on-bad-flag', what), symptoms: ['pod-crash-loops'] };
    });
  });
});

const refused = (image: string, words: string): Waits => ({
  reason: 'ImagePullBackOff',
  message: `Back-off pulling image "${image}": ErrImagePull: failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${words}`,
  image,
});

const IMAGE = 'quay.io/some/where:v9.99';

function pulls(what: Component, how: Waits): void {
  waitAll(what, how);
  what.world.edit(what.resource, what.name, workload => {
    for (const container of workload.spec.template.spec.containers)
      if (container.name === what.container) container.image = how.image;
  });
  for (const pod of what.pods) {
    const object = what.world.object('core/v1/pods', pod);
    const fieldPath = `spec.containers{${what.container}}`;
    event(what.world, 'Pod', object, { reason: 'Failed', message: `Error: ${how.reason}`, fieldPath });
    event(what.world, 'Pod', object, {
      reason: 'BackOff',
      type: 'Normal',
      message: `Back-off pulling image "${how.image}"`,
      fieldPath,
    });
  }
}

describe('an image that cannot be had', () => {
  test.each(ALL)('%s: %s, missing', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      pulls(what, refused(IMAGE, `${IMAGE}: not found`));
      return { roots: rootOf('image-missing', what), symptoms: ['image-not-pulled'] };
    });
  });

  test.each(MONITORING)('%s: %s, refused', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      const words =
        'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed';
      pulls(what, refused(IMAGE, words));
      return { roots: rootOf('image-pull-unauthorized', what), symptoms: ['image-not-pulled'] };
    });
  });

  test.each(MONITORING)('%s: %s, its name cannot be parsed', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      const image = 'quay.io/some/where::v9';
      const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`;
      pulls(what, { reason: 'InvalidImageName', message, image });
      return { roots: rootOf('image-name-invalid', what) };
    });
  });

  test.each(MONITORING)('%s: %s, the registry is out of reach', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      const words =
        'failed to do request: Head "https://quay.io/v2/some/where/manifests/v9.99": dial tcp: lookup quay.io on 127.0.0.53:53: no such host';
      pulls(what, refused(IMAGE, words));
      return { roots: nodeRoot('registry-unreachable', what.world), symptoms: ['image-not-pulled'] };
    });
  });

  test('missing, the new pod beside the old one', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'query');
      const pod = surged(what, () => {});
      waits(hub, pod, what.container, refused(IMAGE, `${IMAGE}: not found`));
      return { roots: rootOf('image-missing', what), symptoms: ['image-not-pulled'] };
    });
  });
});

describe('a Secret or ConfigMap that is not there', () => {
  test.each(MONITORING)('%s: %s, named in the environment', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      const { world, namespace } = what;
      inTemplate(what, spec => {
        const container = spec.containers.find((entry: RawObject) => entry.name === what.container);
        container.env = [
          ...(container.env ?? []),
          { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'token', key: 'value' } } },
        ];
      });
      waitAll(what, { reason: 'CreateContainerConfigError', message: 'secret "token" not found' });
      for (const pod of what.pods) {
        event(world, 'Pod', world.object('core/v1/pods', pod), {
          reason: 'Failed',
          message: 'Error: secret "token" not found',
          fieldPath: `spec.containers{${what.container}}`,
        });
      }
      return {
        roots: [{ rule: 'config-object-missing', cluster: world.cluster, subject: `Secret ${namespace}/token` }],
      };
    });
  });

  test.each(MONITORING)('%s: %s, a ConfigMap mounted as a volume', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      const { world, namespace } = what;
      inTemplate(what, spec => {
        spec.volumes = [
          ...(spec.volumes ?? []),
          { name: 'settings', configMap: { name: 'settings', defaultMode: 420 } },
        ];
      });
      for (const pod of what.pods) {
        creating(world, pod);
        event(world, 'Pod', world.object('core/v1/pods', pod), {
          reason: 'FailedMount',
          message: 'MountVolume.SetUp failed for volume "settings" : configmap "settings" not found',
          count: 8,
        });
      }
      return {
        roots: [{ rule: 'config-object-missing', cluster: world.cluster, subject: `ConfigMap ${namespace}/settings` }],
      };
    });
  });
});

const TOO_MUCH = (what: string) =>
  `0/1 nodes are available: 1 Insufficient ${what}. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.`;

describe('a pod without a node', () => {
  test.each(
    [...MONITORING, ...SYSTEM].flatMap(([cluster, name]) => [
      [cluster, name, 'memory'] as const,
      [cluster, name, 'cpu'] as const,
    ]),
  )('%s: %s asks for more %s than there is', async (cluster, name, resource) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      inTemplate(what, spec => {
        const container = spec.containers.find((entry: RawObject) => entry.name === what.container);
        container.resources = {
          requests: { cpu: '50m', memory: '64Mi', [resource]: resource === 'cpu' ? '64' : '64Gi' },
        };
      });
      for (const pod of what.pods) unscheduled(what.world, pod, TOO_MUCH(resource));
      return { roots: rootOf('pod-unschedulable-insufficient-resources', what) };
    });
  });

  test.each(MONITORING)('%s: %s does not tolerate a taint', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      tainted(what.world, { key: 'dedicated', value: 'batch', effect: 'NoSchedule' });
      for (const pod of what.pods) unscheduled(what.world, pod, TAINTED);
      return { roots: rootOf('pod-unschedulable-untolerated-taint', what) };
    });
  });

  test.each(MONITORING)('%s: %s finds its node cordoned', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      cordoned(what.world);
      for (const pod of what.pods) unscheduled(what.world, pod, CORDONED);
      return { roots: nodeRoot('node-cordoned', what.world), symptoms: ['pod-unschedulable-untolerated-taint'] };
    });
  });
});

describe('a node that is not ready', () => {
  test.each(['hub', 'edge'] as const)('%s: its kubelet is silent', async cluster => {
    await expectFound(fleet => {
      kubeletSilent(fleet[cluster]);
      return { roots: nodeRoot('node-not-ready', fleet[cluster]), established: true };
    });
  });

  test.each(['hub', 'edge'] as const)('%s: its kubelet is silent for ten minutes', async cluster => {
    await expectFound(fleet => {
      kubeletSilent(fleet[cluster], 600);
      leaving(fleet[cluster], 300);
      return { roots: nodeRoot('node-not-ready', fleet[cluster]), established: true };
    });
  });

  test.each(['hub', 'edge'] as const)('%s: its container runtime is down', async cluster => {
    await expectFound(fleet => {
      nodeUnready(fleet[cluster], 'PLEG is not healthy: pleg was last seen active 3m7.1s ago; threshold is 3m0s');
      return {
        roots: nodeRoot('node-container-runtime-down', fleet[cluster]),
        symptoms: ['node-not-ready'],
        established: true,
      };
    });
  });
});

describe('a node short of disk', () => {
  test.each(['hub', 'edge'] as const)('%s: only the condition', async cluster => {
    await expectFound(fleet => {
      diskPressure(fleet[cluster]);
      return { roots: nodeRoot('node-disk-pressure', fleet[cluster]) };
    });
  });

  test.each([
    ['hub', 'query'],
    ['hub', 'grafana'],
    ['hub', 'operator'],
    ['edge', 'operator'],
    ['edge', 'csi-provisioner'],
    ['edge', 'coredns'],
  ] as const)('%s: %s evicted', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      diskPressure(what.world);
      for (const pod of what.pods) evicted(what.world, pod);
      return {
        roots: nodeRoot('node-disk-pressure', what.world),
        symptoms: ['pods-evicted', 'pod-unschedulable-untolerated-taint'],
      };
    });
  });

  test.each([
    ['hub', 'store'],
    ['hub', 'compact'],
    ['edge', 'sidecar'],
  ] as const)('%s: %s evicted and made anew', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      diskPressure(what.world);
      for (const pod of what.pods) unscheduled(what.world, pod, TAINTED);
      return { roots: nodeRoot('node-disk-pressure', what.world), symptoms: ['pod-unschedulable-untolerated-taint'] };
    });
  });
});

const HOOK = { service: 'guard', namespace: 'guards' };

function webhook(what: Component, kind: string): void {
  const plural = `admissionregistration.k8s.io/v1/${kind.toLowerCase()}s`;
  what.world.list(plural, items => {
    items.push({
      metadata: { name: 'guard', creationTimestamp: ago(what.world, 300), uid: '1-2-3' },
      webhooks: [
        {
          name: 'guard.example.org',
          clientConfig: {
            caBundle: 'c2V0',
            service: { name: HOOK.service, namespace: HOOK.namespace, path: '/check', port: 443 },
          },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'], scope: '*' }],
          failurePolicy: 'Fail',
          timeoutSeconds: 5,
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
        },
      ],
    });
  });
}

const calling = (why: string) =>
  `Internal error occurred: failed calling webhook "guard.example.org": failed to call webhook: Post "https://${HOOK.service}.${HOOK.namespace}.svc:443/check?timeout=5s": ${why}`;

describe('an admission webhook that cannot be called', () => {
  test.each(
    THANOS.flatMap(([, name]) => [
      [name, 'ValidatingWebhookConfiguration'] as const,
      [name, 'MutatingWebhookConfiguration'] as const,
    ]),
  )('%s is not created because of a %s', async (name, kind) => {
    await expectFound(({ hub }) => {
      const what = component(hub, name);
      webhook(what, kind);
      notCreated(what, calling(`service "${HOOK.service}" not found`));
      return {
        roots: [{ rule: 'admission-webhook-down', cluster: hub.cluster, subject: `${kind} guard` }],
        symptoms: ['replicas-not-created'],
      };
    });
  });

  test('nobody has missed it yet', async () => {
    await expectFound(({ edge }) => {
      webhook(component(edge, 'sidecar'), 'ValidatingWebhookConfiguration');
      return {
        roots: [
          { rule: 'admission-webhook-down', cluster: edge.cluster, subject: 'ValidatingWebhookConfiguration guard' },
        ],
      };
    });
  });

  test('its Deployment is scaled to nothing', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'store');
      const { world } = what;
      webhook(what, 'ValidatingWebhookConfiguration');
      const metadata = (name: string) => ({
        name,
        namespace: HOOK.namespace,
        uid: `u-${name}`,
        generation: 2,
        creationTimestamp: ago(world, 400),
      });
      world.list('core/v1/services', items => {
        items.push({
          metadata: metadata(HOOK.service),
          spec: {
            type: 'ClusterIP',
            clusterIP: '10.111.9.9',
            selector: { app: 'guard' },
            ports: [{ name: 'https', port: 443, targetPort: 8443, protocol: 'TCP' }],
          },
          status: { loadBalancer: {} },
        });
      });
      world.list('core/v1/namespaces', items => {
        items.push({ ...structuredClone(items[0]), metadata: { ...metadata(HOOK.namespace), namespace: undefined } });
      });
      world.list('discovery.k8s.io/v1/endpointslices', items => {
        const labels = { 'kubernetes.io/service-name': HOOK.service };
        const ownerReferences = [{ kind: 'Service', name: HOOK.service, controller: true }];
        items.push({ metadata: { ...metadata('guard-abc'), labels, ownerReferences }, addressType: 'IPv4' });
      });
      world.list('apps/v1/deployments', items => {
        const template = {
          metadata: { labels: { app: 'guard' } },
          spec: { containers: [{ name: 'guard', image: 'example.org/guard:v1' }] },
        };
        items.push({
          metadata: metadata('guard'),
          spec: { replicas: 0, selector: { matchLabels: { app: 'guard' } }, template },
          status: { observedGeneration: 2 },
        });
      });
      notCreated(what, calling('dial tcp 10.111.9.9:443: connect: connection refused'));
      return {
        roots: [{ rule: 'workload-scaled-to-zero', cluster: hub.cluster, subject: 'Deployment guards/guard' }],
        symptoms: ['admission-webhook-down', 'replicas-not-created'],
      };
    });
  });
});

describe('a quota that is used up', () => {
  test.each([
    ['hub', 'query'],
    ['hub', 'store'],
    ['hub', 'compact'],
    ['hub', 'grafana'],
    ['edge', 'sidecar'],
    ['edge', 'operator'],
  ] as const)('%s: %s is not created', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      const { world, namespace } = what;
      const pod = what.pods[0]!.split('/')[1];
      world.list('core/v1/resourcequotas', items => {
        items.push({
          metadata: { name: 'team', namespace, creationTimestamp: ago(world, 300), uid: 'q-1' },
          spec: { hard: { pods: '9' } },
          status: { hard: { pods: '9' }, used: { pods: '9' } },
        });
      });
      notCreated(
        what,
        `pods "${pod}" is forbidden: exceeded quota: team, requested: pods=1, used: pods=9, limited: pods=9`,
      );
      return {
        roots: [{ rule: 'quota-exceeded', cluster: world.cluster, subject: `ResourceQuota ${namespace}/team` }],
        symptoms: ['replicas-not-created'],
      };
    });
  });

  test('it demands limits that the pod has not', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'store');
      const { namespace } = what;
      hub.list('core/v1/resourcequotas', items => {
        items.push({
          metadata: { name: 'team', namespace, creationTimestamp: ago(hub, 300), uid: 'q-1' },
          spec: { hard: { 'limits.cpu': '9' } },
          status: { hard: { 'limits.cpu': '9' }, used: { 'limits.cpu': '0' } },
        });
      });
      notCreated(
        what,
        'pods "thanos-store-0" is forbidden: failed quota: team: must specify limits.cpu for: thanos-store',
      );
      return { roots: [{ rule: 'quota-exceeded', cluster: hub.cluster, subject: `ResourceQuota ${namespace}/team` }] };
    });
  });
});

/** The pod is of a template that the set no longer has. */
function trap(what: Component): void {
  what.world.edit(what.resource, what.name, set => {
    set.metadata.generation += 2;
    set.status.observedGeneration = set.metadata.generation;
  });
  for (const pod of what.pods) {
    what.world.edit('core/v1/pods', pod, object => {
      object.metadata.labels['controller-revision-hash'] = `${what.name.split('/')[1]}-7b9c4d8f6`;
    });
  }
}

describe('a StatefulSet that waits for a pod of a template taken back', () => {
  const TRAPPED = ['store', 'compact', 'rule'] as const;

  test.each(TRAPPED.flatMap(name => [[name, 150] as const, [name, 1500] as const]))(
    '%s, image missing, for %s s',
    async (name, seconds) => {
      await expectFound(({ hub }) => {
        const what = component(hub, name);
        waitAll(what, { ...refused(IMAGE, `${IMAGE}: not found`), seconds });
        trap(what);
        return { roots: rootOf('statefulset-rollback-trapped', what), symptoms: ['image-not-pulled'] };
      });
    },
  );

  test.each(TRAPPED)('%s, unknown flag', async name => {
    await expectFound(({ hub }) => {
      const what = component(hub, name);
      crashAll(what, { lines: ["thanos: error: unknown long flag '--foo'"] });
      trap(what);
      return { roots: rootOf('statefulset-rollback-trapped', what), symptoms: ['pod-crash-loops'] };
    });
  });

  test.each(TRAPPED)('%s, too much memory asked for', async name => {
    await expectFound(({ hub }) => {
      const what = component(hub, name);
      for (const pod of what.pods) unscheduled(hub, pod, TOO_MUCH('memory'));
      trap(what);
      return { roots: rootOf('statefulset-rollback-trapped', what) };
    });
  });

  test('store, out of memory', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'store');
      crashAll(what, { exitCode: 137, reason: 'OOMKilled' });
      trap(what);
      return { roots: rootOf('statefulset-rollback-trapped', what) };
    });
  });
});

describe('a workload that was scaled to nothing', () => {
  test.each([
    ['hub', 'query', 'query-not-running'],
    ['hub', 'store', 'store-not-running'],
    ['hub', 'grafana', 'workload-scaled-to-zero'],
    ['edge', 'csi-provisioner', 'provisioner-down'],
    ['hub', 'compact', 'compactor-not-running'],
    ['hub', 'rule', 'workload-scaled-to-zero'],
    ['edge', 'operator', 'operator-down'],
    ['edge', 'csi-attacher', 'attacher-down'],
    ['edge', 'coredns', 'cluster-dns-down'],
    ['edge', 'cilium-operator', 'cilium-operator-down'],
  ] as const)('%s: %s', async (cluster, name, rule) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      scaledToZero(what);
      return { roots: rootOf(rule, what) };
    });
  });
});
