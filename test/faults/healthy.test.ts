import { describe, test } from 'vitest';
import type { RawObject } from '../../src/model/source.ts';
import { ages, emptyBucket, renamed, throughIngress, withoutGroup } from './fleets.ts';
import { fail } from './nodes.ts';
import { ago, component, creating, event, gone, nameOf, notReady, rootOwner, setCondition, surged } from './pods.ts';
import type { World } from './recorded-world.ts';
import { expectHealthy, type Fleet } from './scenario.ts';
import { secondNode } from './volumes.ts';

const both =
  (change: (world: World) => void) =>
  ({ hub, edge }: Fleet) => {
    change(hub);
    change(edge);
  };

/** The container began so many seconds ago and is not ready yet. */
function starting(world: World, pod: string, container: string, seconds: number): void {
  notReady(world, pod, container, seconds);
  world.edit('core/v1/pods', pod, object => {
    object.metadata.creationTimestamp = ago(world, seconds + 4);
    object.status.startTime = ago(world, seconds + 3);
    for (const status of object.status.containerStatuses) {
      status.state = { running: { startedAt: ago(world, seconds) } };
      status.started = status.name !== container;
    }
  });
}

describe('a rollout in progress', () => {
  test('the new pod of a Deployment starts beside the old one', async () => {
    await expectHealthy(({ hub }) => {
      for (const name of ['query', 'operator'] as const) {
        const what = component(hub, name);
        starting(
          hub,
          surged(what, () => {}, 20),
          what.container,
          15,
        );
      }
    });
  });

  test.each(['store', 'compact', 'rule'])('the only pod of a StatefulSet is made anew: %s', async name => {
    await expectHealthy(({ hub }) => {
      const what = component(hub, name);
      creating(hub, what.pods[0]!, 12);
    });
  });

  test.each(['store', 'compact', 'rule'])('the only pod of a StatefulSet starts: %s', async name => {
    await expectHealthy(({ hub }) => {
      const what = component(hub, name);
      starting(hub, what.pods[0]!, what.container, 20);
    });
  });

  test.each(['store', 'compact', 'rule'])('the only pod of a StatefulSet is about to go: %s', async name => {
    await expectHealthy(({ hub }) => {
      const what = component(hub, name);
      hub.edit('core/v1/pods', what.pods[0]!, object => {
        object.metadata.deletionTimestamp = ago(hub, -12);
        object.metadata.deletionGracePeriodSeconds = 30;
      });
    });
  });

  test.each(['hub', 'edge'] as const)('%s: Prometheus is restarted', async cluster => {
    await expectHealthy(fleet => {
      const what = component(fleet[cluster], 'prometheus');
      starting(what.world, what.pods.at(-1)!, what.container, 25);
    });
  });

  test('the pod that leaves is terminating', async () => {
    await expectHealthy(({ hub }) => {
      const what = component(hub, 'query');
      const pod = surged(what, () => {}, 45);
      hub.edit('core/v1/pods', pod, object => {
        for (const status of object.status.containerStatuses) status.state = { running: { startedAt: ago(hub, 40) } };
      });
      hub.edit('core/v1/pods', what.pods[0]!, object => {
        object.metadata.deletionTimestamp = ago(hub, -25);
        object.metadata.deletionGracePeriodSeconds = 30;
      });
    });
  });
});

describe('time', () => {
  test('a fleet that is three minutes old', async () => {
    await expectHealthy(both(world => ages(world, 1 / 3, /^(objects|logs)\//)));
  });

  test('a fleet that is two days old', async () => {
    await expectHealthy(both(world => ages(world, 300, /^objects\/(?!core\/v1\/events|coordination)/)));
  });

  test('a fleet that is two days old, with the logs and events of its start', async () => {
    await expectHealthy(both(world => ages(world, 300, /^(objects\/(?!coordination)|logs)/)));
  });

  test('a fleet that is two months old, whose events have expired', async () => {
    await expectHealthy(
      both(world => {
        ages(world, 9000, /^objects\/(?!core\/v1\/events|coordination)/);
        world.list('core/v1/events', () => []);
      }),
    );
  });

  test('no events', async () => {
    await expectHealthy(both(world => world.list('core/v1/events', () => [])));
  });

  test('no logs', async () => {
    await expectHealthy(
      both(world => {
        for (const path of world.paths()) if (path.startsWith('logs/')) world.write(path, '');
      }),
    );
  });
});

describe('history', () => {
  const long = 2 * 86_400;

  test.each([
    [137, 'OOMKilled'],
    [1, 'Error'],
    [255, 'Unknown'],
    [137, 'ContainerStatusUnknown'],
  ] as const)('every container ended two days ago: %s %s', async (exitCode, reason) => {
    await expectHealthy(
      both(world => {
        ages(world, 600, /^objects\/(?!core\/v1\/events|coordination)/);
        world.list('core/v1/pods', pods => {
          for (const { status } of pods) {
            for (const entry of status.containerStatuses ?? []) {
              entry.restartCount = 11;
              entry.state = { running: { startedAt: ago(world, long - 20) } };
              entry.lastState = {
                terminated: { exitCode, reason, startedAt: ago(world, long + 60), finishedAt: ago(world, long) },
              };
            }
          }
        });
      }),
    );
  });

  test('leftovers of evictions', async () => {
    await expectHealthy(({ hub }) => {
      hub.list('core/v1/pods', pods => {
        const left = pods
          .filter(pod => rootOwner(hub, pod).startsWith('Deployment'))
          .map(pod => {
            const copy = structuredClone(pod);
            copy.metadata.name = `${pod.metadata.name.slice(0, -5)}0ld0n`;
            copy.metadata.uid = pod.metadata.uid.replace(/....$/, 'dead');
            fail(hub, copy, 7200);
            return copy;
          });
        return [...pods, ...left];
      });
    });
  });

  test('Jobs that have finished, one after a failure', async () => {
    await expectHealthy(({ hub, edge }) => {
      for (const world of [hub, edge]) {
        const { namespace } = component(world, 'operator');
        const model = world.object('core/v1/pods', component(world, 'operator').pods[0]!);
        const metadata = (name: string) => ({
          name,
          namespace,
          uid: `job-${name}`,
          creationTimestamp: ago(world, 400),
        });
        const selector = { matchLabels: { 'job-name': 'backup-1' } };
        world.list('batch/v1/jobs', jobs => {
          jobs.push({
            metadata: metadata('backup-1'),
            spec: {
              completions: 1,
              parallelism: 1,
              backoffLimit: 6,
              selector,
              template: { metadata: {}, spec: { containers: [{ name: 'backup', image: 'x' }] } },
            },
            status: {
              succeeded: 1,
              failed: 1,
              startTime: ago(world, 400),
              completionTime: ago(world, 300),
              conditions: [{ type: 'Complete', status: 'True', lastTransitionTime: ago(world, 300) }],
            },
          });
        });
        world.list('core/v1/pods', pods => {
          for (const [index, [phase, exitCode, reason]] of [
            ['Failed', 1, 'Error'] as const,
            ['Succeeded', 0, 'Completed'] as const,
          ].entries()) {
            pods.push({
              metadata: {
                ...metadata(`backup-1-x${index}`),
                labels: { 'job-name': 'backup-1' },
                ownerReferences: [
                  { apiVersion: 'batch/v1', kind: 'Job', name: 'backup-1', uid: 'job-backup-1', controller: true },
                ],
              },
              spec: {
                nodeName: model.spec.nodeName,
                restartPolicy: 'Never',
                containers: [{ name: 'backup', image: 'x' }],
              },
              status: {
                phase,
                startTime: ago(world, 400),
                conditions: [
                  { type: 'Ready', status: 'False', reason: 'PodCompleted', lastTransitionTime: ago(world, 300) },
                ],
                containerStatuses: [
                  {
                    name: 'backup',
                    ready: false,
                    restartCount: 0,
                    image: 'x',
                    state: {
                      terminated: { exitCode, reason, startedAt: ago(world, 390), finishedAt: ago(world, 310) },
                    },
                  },
                ],
              },
            });
          }
        });
      }
    });
  });

  test('warnings of an hour ago', async () => {
    await expectHealthy(
      both(world => {
        for (const pod of world.items('core/v1/pods')) {
          const say = (reason: string, message: string) =>
            event(world, 'Pod', pod, { reason, message, first: 3500, last: 3300, count: 20 });
          say('FailedMount', 'MountVolume.SetUp failed for volume "x" : secret "x" not found');
          say('BackOff', 'Back-off restarting failed container x in pod x');
          say(
            'FailedAttachVolume',
            'AttachVolume.Attach failed for volume "x" : rpc error: code = Aborted desc = volume x is not ready for workloads',
          );
          say('Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 503');
          say('FailedScheduling', '0/1 nodes are available: 1 Insufficient memory.');
        }
      }),
    );
  });
});

describe('a planned drain', () => {
  test.each(['hub', 'edge'] as const)('%s: the node is empty but for what runs on every node', async cluster => {
    await expectHealthy(fleet => {
      const world = fleet[cluster];
      const node = secondNode(world);
      world.edit('core/v1/nodes', node, object => {
        object.spec.unschedulable = true;
        object.spec.taints = [
          { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded: ago(world, 400) },
        ];
      });
      world.edit('longhorn.io/v1beta2/nodes', `longhorn-system/${node}`, object =>
        setCondition(object, {
          type: 'Schedulable',
          status: 'False',
          lastProbeTime: '',
          lastTransitionTime: ago(world, 400),
          reason: 'KubernetesNodeCordoned',
          message: `Node ${node} is cordoned`,
        }),
      );
    });
  });
});

describe('the first day', () => {
  test('nothing is in the bucket', async () => {
    await expectHealthy(both(emptyBucket));
  });

  test('nothing is in the bucket of a fleet that is three minutes old', async () => {
    await expectHealthy(
      both(world => {
        emptyBucket(world);
        ages(world, 1 / 3, /^(objects|logs)\//);
      }),
    );
  });
});

describe('other ways to install', () => {
  test.each(['k8s', 'main', 'p'])('Prometheus is named %s', async name => {
    await expectHealthy(
      both(world => {
        renamed(world, 'kube-prometheus-stack-prometheus', name);
        renamed(world, 'kube-prometheus-stack-', '');
      }),
    );
  });

  test('another namespace, and names that say nothing', async () => {
    await expectHealthy(
      both(world => {
        renamed(world, 'monitoring/', 'o11y/');
        renamed(world, '.monitoring', '.o11y');
        renamed(world, '"monitoring"', '"o11y"');
        renamed(world, 'namespace: monitoring', 'namespace: o11y');
        for (const [index, name] of ['thanos-query', 'thanos-store', 'thanos-compactor', 'thanos-ruler'].entries()) {
          renamed(world, name, `c${index}`);
        }
      }),
    );
  });

  test.each(['thanos.edge.example', '*.edge.example'])('the hub reaches the edge by an Ingress for %s', async host => {
    await expectHealthy(({ hub, edge }) => {
      throughIngress(hub, edge, '192.168.101.211:10901', 'thanos.edge.example');
      edge.replace(/ingresses\.json$/, 'thanos.edge.example', host);
    });
  });

  test('without the Prometheus Operator', async () => {
    await expectHealthy(
      both(world => {
        const operator = component(world, 'operator');
        withoutGroup(world, 'monitoring.coreos.com');
        for (const pod of operator.pods) gone(world, pod);
        world.list('apps/v1/deployments', items => items.filter(item => nameOf(item) !== operator.name));
        world.list('apps/v1/replicasets', items =>
          items.filter(item => item.metadata.ownerReferences?.[0]?.name !== operator.name.split('/')[1]),
        );
        world.list('core/v1/services', items => items.filter(item => nameOf(item) !== operator.name));
        world.list('apps/v1/statefulsets', items => {
          for (const { metadata } of items) delete metadata.ownerReferences;
        });
        world.replace(/api_v1_targets|api_v1_status_config/, 'serviceMonitor/monitoring/kube-prometheus-stack-', '');
        world.replace(/api_v1_targets|api_v1_status_config/, 'serviceMonitor/monitoring/', '');
        for (const path of world.paths()) {
          if (!/api_v1_targets_state_active\.json$/.test(path)) continue;
          world.json(path, ({ data }) => {
            data.activeTargets = data.activeTargets.filter((target: RawObject) => !/operator/.test(target.scrapePool));
          });
        }
      }),
    );
  });
});
