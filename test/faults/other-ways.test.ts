import { describe, test } from 'vitest';
import { ago, component, crashes, creating, event, inTemplate, unscheduled, waits } from './pods.ts';
import type { World } from './recorded-world.ts';
import { expectFound, expectHealthy } from './scenario.ts';
import { claimOf, faultedVolume, fullClaim, volumeOf } from './volumes.ts';

const PROMETHEUS = 'Prometheus monitoring/kube-prometheus-stack-prometheus';

/** Runs again: the last run ended so many seconds ago, after some of the same kind. */
function ranAgain(
  world: World,
  name: string,
  container: string,
  last: { exitCode: number; reason: string },
  seconds: number,
  restarts = 3,
): void {
  world.edit('core/v1/pods', name, pod => {
    for (const status of pod.status.containerStatuses) {
      if (status.name !== container) continue;
      status.restartCount = restarts;
      status.state = { running: { startedAt: ago(world, seconds) } };
      status.lastState = {
        terminated: {
          ...last,
          startedAt: ago(world, seconds + 300),
          finishedAt: ago(world, seconds + 12),
          containerID: 'containerd://0a',
        },
      };
    }
  });
}

describe('one of two', () => {
  test('Prometheus replica out of memory', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'prometheus');
      crashes(hub, what.pods[1]!, what.container, {
        exitCode: 137,
        reason: 'OOMKilled',
        lines: [
          'time=$NOW level=INFO source=head.go:805 msg="WAL segment loaded" component=tsdb segment=12 maxSegment=15',
        ],
      });
      return { roots: [{ rule: 'prometheus-out-of-memory', cluster: hub.cluster, subject: PROMETHEUS }] };
    });
  });
  test('Prometheus replica: permission denied', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'prometheus');
      crashes(hub, what.pods[1]!, what.container, {
        exitCode: 2,
        reason: 'Error',
        lines: [
          'time=$NOW level=ERROR source=query_logger.go:113 msg="Error opening query log file" component=activeQueryTracker file=/prometheus/queries.active err="open /prometheus/queries.active: permission denied"',
          'panic: Unable to create mmap-ed active query log',
          '',
          'goroutine 1 [running]:',
          'github.com/prometheus/prometheus/promql.NewActiveQueryTracker({0x7ffe3b2c4b4a, 0xb}, 0x14, 0xc000a6a4b0)',
          '\t/app/promql/query_logger.go:145 +0x3a5',
        ],
      });
      return { roots: [{ rule: 'prometheus-data-permission-denied', cluster: hub.cluster, subject: PROMETHEUS }] };
    });
  });
  test('Prometheus replica: data locked', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'prometheus');
      crashes(hub, what.pods[0]!, what.container, {
        exitCode: 1,
        lines: [
          'time=$NOW level=ERROR source=main.go:1432 msg="Fatal error" err="opening storage failed: lock DB directory: resource temporarily unavailable"',
        ],
      });
      return { roots: [{ rule: 'prometheus-data-locked', cluster: hub.cluster, subject: PROMETHEUS }] };
    });
  });
  test('Prometheus replica: its volume is faulted', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'prometheus');
      const volume = volumeOf(hub, claimOf(hub, what.pods[1]!));
      faultedVolume(hub, volume);
      creating(hub, what.pods[1]!);
      return { roots: [{ rule: 'volume-faulted', cluster: hub.cluster }] };
    });
  });
  test('Prometheus replica waits for a node', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'prometheus');
      unscheduled(
        hub,
        what.pods[1]!,
        '0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
      );
      return { roots: [{ rule: 'pod-unschedulable-insufficient-resources', cluster: hub.cluster }] };
    });
  });
  test('Prometheus replica: anti-affinity', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'prometheus');
      unscheduled(
        hub,
        what.pods[1]!,
        "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
      );
      return { roots: [{ rule: 'pod-unschedulable-affinity', cluster: hub.cluster }] };
    });
  });
  test('Alertmanager replica out of memory', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'alertmanager');
      crashes(hub, what.pods[1]!, what.container, { exitCode: 137, reason: 'OOMKilled' });
      return { roots: [{ rule: 'container-out-of-memory', cluster: hub.cluster, subject: what.key }] };
    });
  });
  test('a replica of the provisioner: its image is not to be had', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'csi-provisioner');
      const image = hub.object('core/v1/pods', what.pods.at(-1)!).spec.containers[0].image;
      waits(hub, what.pods.at(-1)!, what.container, {
        reason: 'ImagePullBackOff',
        message: `Back-off pulling image "${image}": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`,
      });
      return { roots: [{ rule: 'image-missing', cluster: hub.cluster, subject: what.key }] };
    });
  });
  test('the config reloader of one replica is out of memory', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'prometheus');
      crashes(hub, what.pods[0]!, 'config-reloader', { exitCode: 137, reason: 'OOMKilled' });
      return { roots: [{ rule: 'container-out-of-memory', cluster: hub.cluster }] };
    });
  });
  test('the sidecar of one replica is out of memory', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'sidecar');
      crashes(hub, what.pods[0]!, what.container, { exitCode: 137, reason: 'OOMKilled' });
      return { roots: [{ rule: 'container-out-of-memory', cluster: hub.cluster }] };
    });
  });
  test('the claim of one replica is full', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'prometheus');
      const claim = claimOf(hub, what.pods[1]!);
      fullClaim(hub, claim);
      const word =
        'time=$NOW level=ERROR source=db.go:1080 msg="compaction failed" component=tsdb err="preallocate: no space left on device"';
      hub.log(what.pods[1]!, what.container, [
        [100, word],
        [40, word],
      ]);
      return { roots: [{ rule: 'claim-full', cluster: hub.cluster }] };
    });
  });
});

describe('cannot start', () => {
  test.each([
    [
      'hub',
      'query',
      128,
      'StartError',
      'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/bin/thanos-query": stat /bin/thanos-query: no such file or directory',
    ],
    [
      'hub',
      'store',
      128,
      'StartError',
      'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/bin/thanoss": stat /bin/thanoss: no such file or directory',
    ],
    ['edge', 'operator', 255, 'Error', 'exec /bin/operator: exec format error'],
  ] as const)('%s: %s, %i %s', async (cluster, name, exitCode, reason, message) => {
    await expectFound(fleet => {
      const world = fleet[cluster];
      const what = component(world, name);
      for (const pod of what.pods) {
        if (reason === 'StartError') {
          waits(world, pod, what.container, {
            reason: 'RunContainerError',
            message,
            last: { exitCode, reason, message },
          });
          event(world, 'Pod', world.object('core/v1/pods', pod), {
            reason: 'Failed',
            message: `Error: ${message}`,
            fieldPath: `spec.containers{${what.container}}`,
          });
        } else crashes(world, pod, what.container, { exitCode, reason, lines: [message] });
      }
      return { roots: [{ rule: 'container-cannot-start', cluster: world.cluster, subject: what.key }] };
    });
  });
  test('must not run as root', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'store');
      inTemplate(what, spec => {
        spec.securityContext = { runAsNonRoot: true };
        delete spec.containers[0].securityContext;
      });
      for (const pod of what.pods)
        waits(hub, pod, what.container, {
          reason: 'CreateContainerConfigError',
          message:
            'container has runAsNonRoot and image will run as root (pod: "thanos-store-0_monitoring(9b7e)", container: thanos-store)',
        });
      return {
        roots: [{ rule: 'container-may-not-run-as-root', cluster: hub.cluster, subject: what.key }],
        symptoms: ['store-not-running'],
      };
    });
  });
  test('the pull is rate limited', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'grafana');
      const image = 'docker.io/grafana/grafana:12.1.1';
      for (const pod of what.pods)
        waits(hub, pod, what.container, {
          image,
          reason: 'ImagePullBackOff',
          message: `Back-off pulling image "${image}": ErrImagePull: failed to pull and unpack image "${image}": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/grafana/grafana/manifests/sha256:abc: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit`,
        });
      return { roots: [{ rule: 'image-pull-rate-limited', cluster: hub.cluster }], symptoms: ['grafana-down'] };
    });
  });
  test('the init container of Prometheus has an image that cannot be had', async () => {
    await expectFound(({ edge }) => {
      const what = component(edge, 'prometheus');
      const image = 'quay.io/prometheus-operator/prometheus-config-reloader:v0.99.0';
      for (const pod of what.pods) {
        creating(edge, pod);
        edge.edit('core/v1/pods', pod, object => {
          object.spec.initContainers[0].image = image;
          object.status.initContainerStatuses[0].state = {
            waiting: {
              reason: 'ImagePullBackOff',
              message: `Back-off pulling image "${image}": ErrImagePull: failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`,
            },
          };
          object.status.initContainerStatuses[0].image = image;
        });
      }
      return {
        roots: [{ rule: 'image-missing', cluster: edge.cluster }],
        symptoms: ['prometheus-down', 'query-endpoint-down'],
      };
    });
  });
  test('the sidecar finds no external labels', async () => {
    await expectFound(({ edge }) => {
      const what = component(edge, 'sidecar');
      for (const pod of what.pods)
        crashes(edge, pod, what.container, {
          lines: [
            'ts=$NOW caller=main.go:145 level=error err="no external labels configured on Prometheus server, uniquely identifying external labels must be configured; see https://thanos.io/tip/thanos/storage.md#external-labels\\nmain.runSidecar.func8\\n\\t/app/cmd/thanos/sidecar.go:290\\nsidecar command failed\\nmain.main"',
          ],
        });
      return {
        roots: [{ rule: 'sidecar-external-labels-missing', cluster: edge.cluster }],
        symptoms: ['query-endpoint-down'],
      };
    });
  });
  test('a pod sandbox cannot be made', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'grafana');
      for (const pod of what.pods) {
        creating(hub, pod);
        event(hub, 'Pod', hub.object('core/v1/pods', pod), {
          reason: 'FailedCreatePodSandBox',
          message:
            'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "f0e1": plugin type="cilium-cni" failed (add): unable to allocate IP via local cilium agent: [POST /ipam][502] postIpamFailure "range is full"',
          count: 9,
        });
      }
      return { roots: [{ rule: 'pod-sandbox-not-created', cluster: hub.cluster }], symptoms: ['grafana-down'] };
    });
  });
  test('a claim lost its volume', async () => {
    await expectFound(({ edge }) => {
      const what = component(edge, 'prometheus');
      const claim = claimOf(edge, what.pods[0]!);
      const volume = volumeOf(edge, claim);
      edge.list('core/v1/persistentvolumes', items => items.filter(item => item.metadata.name !== volume));
      edge.edit('core/v1/persistentvolumeclaims', claim, object => {
        object.status.phase = 'Lost';
      });
      event(edge, 'PersistentVolumeClaim', edge.object('core/v1/persistentvolumeclaims', claim), {
        reason: 'ClaimLost',
        message: 'Bound claim has lost its PersistentVolume. Data on the volume is lost!',
        from: 'persistentvolume-controller',
        count: 1,
      });
      unscheduled(
        edge,
        what.pods[0]!,
        '0/1 nodes are available: persistentvolumeclaim bound to non-existent persistentvolume. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
      );
      return { roots: [{ rule: 'claim-lost', cluster: edge.cluster }], symptoms: ['prometheus-down'] };
    });
  });
  test('the liveness probe kills the store', async () => {
    await expectFound(({ hub }) => {
      const what = component(hub, 'store');
      for (const pod of what.pods) {
        crashes(hub, pod, what.container, {
          exitCode: 137,
          reason: 'Error',
          lines: ['ts=$NOW caller=bucket.go:748 level=info msg="synchronizing block metadata"'],
          seconds: 900,
        });
        const object = hub.object('core/v1/pods', pod);
        event(hub, 'Pod', object, {
          reason: 'Unhealthy',
          message:
            'Liveness probe failed: Get "http://10.241.0.33:10902/-/healthy": dial tcp 10.241.0.33:10902: connect: connection refused',
          count: 24,
          first: 880,
          fieldPath: `spec.containers{${what.container}}`,
        });
        event(hub, 'Pod', object, {
          reason: 'Killing',
          message: `Container ${what.container} failed liveness probe, will be restarted`,
          type: 'Normal',
          count: 6,
          first: 850,
          fieldPath: `spec.containers{${what.container}}`,
        });
      }
      return {
        roots: [{ rule: 'container-killed-by-probe', cluster: hub.cluster, subject: what.key }],
        symptoms: ['store-not-running'],
      };
    });
  });
});

describe('what is missed at the next start only', () => {
  test('a ServiceAccount is gone, and the pods run on', async () => {
    await expectHealthy(({ hub }) => {
      const what = component(hub, 'store');
      const account = hub.object(what.resource, what.name).spec.template.spec.serviceAccountName ?? 'default';
      if (account !== 'default')
        hub.list('core/v1/serviceaccounts', items => items.filter(item => item.metadata.name !== account));
    });
  });
});

describe('recovered in the meantime', () => {
  test('the Query was out of memory three times, an hour ago', async () => {
    await expectHealthy(({ hub }) => {
      const what = component(hub, 'query');
      ranAgain(hub, what.pods[0]!, what.container, { exitCode: 137, reason: 'OOMKilled' }, 5400);
    });
  });
  test('the sidecar could not upload for ten minutes, and can again', async () => {
    await expectHealthy(({ edge }) => {
      const what = component(edge, 'sidecar');
      const word =
        'ts=$NOW caller=shipper.go:298 level=error msg="shipping failed" block=01M84QJ8E8Q33257YBZFGGCWFJ err="upload chunks: upload file /prometheus/thanos/upload/01M84QJ8E8Q33257YBZFGGCWFJ/chunks/000001: Put \\"http://s3.minio.miribit.lab/thanos-bucket/x\\": dial tcp 192.168.101.10:80: connect: connection refused"';
      for (const pod of what.pods)
        edge.log(pod, what.container, [
          [1900, word],
          [1870, word],
          [1840, word],
          [1400, 'ts=$NOW caller=shipper.go:334 level=info msg="upload new block" id=01M84QJ8E8Q33257YBZFGGCWFJ'],
        ]);
    });
  });
  test('the Compactor halted, and was started again', async () => {
    await expectHealthy(({ hub }) => {
      const what = component(hub, 'compact');
      ranAgain(hub, what.pods[0]!, what.container, { exitCode: 0, reason: 'Completed' }, 7200, 1);
      hub.log(
        what.pods[0]!,
        what.container,
        [
          [
            7500,
            'ts=$NOW caller=compact.go:527 level=error msg="critical error detected; halting" err="compaction: group 0@123: pre compaction overlap check: overlaps found while gathering blocks."',
          ],
        ],
        true,
      );
    });
  });
  test('an edge was out of reach for some minutes', async () => {
    await expectHealthy(({ hub }) => {
      const what = component(hub, 'query');
      const word =
        'ts=$NOW caller=endpointset.go:345 level=warn component=endpointset msg="update of endpoint failed" err="getting metadata: fallback fetching info from 192.168.101.211:10901: rpc error: code = Unavailable desc = connection error: desc = \\"transport: Error while dialing: dial tcp 192.168.101.211:10901: i/o timeout\\"" address=192.168.101.211:10901';
      hub.log(what.pods[0]!, what.container, [
        [2500, word],
        [2490, word],
        [2400, word],
        [
          2300,
          'ts=$NOW caller=endpointset.go:349 level=info component=endpointset msg="adding new sidecar with [storeEndpoints]" address=192.168.101.211:10901',
        ],
      ]);
    });
  });
  test('names were not resolved while CoreDNS restarted', async () => {
    await expectHealthy(({ hub }) => {
      const dns = component(hub, 'coredns');
      for (const pod of dns.pods) ranAgain(hub, pod, dns.container, { exitCode: 2, reason: 'Error' }, 3000, 1);
      const rule = component(hub, 'rule');
      hub.log(rule.pods[0]!, rule.container, [
        [
          3020,
          'ts=$NOW caller=dns.go:45 level=error msg="failed to resolve addresses" err="lookup SRV records \\"_http._tcp.thanos-query.monitoring.svc\\": lookup _http._tcp.thanos-query.monitoring.svc on 10.111.0.10:53: read udp 10.241.0.27:39613->10.111.0.10:53: read: connection refused"',
        ],
      ]);
    });
  });
});
