import type { RawObject } from '../../src/model/source.ts';
import type { World } from './recorded-world.ts';

const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/** Makes everything that happened `factor` times as long ago, in the files that fit. */
export function ages(world: World, factor: number, files: RegExp): void {
  const moved = (text: string): string => {
    const age = world.now - Date.parse(text);
    if (age <= 0 || age > 3_600_000) return text;
    const at = new Date(world.now - age * factor).toISOString();
    const digits = /\.(\d+)Z$/.exec(text)?.[1]?.length ?? 0;
    return digits === 0
      ? at.replace(/\.\d+Z$/, 'Z')
      : at.replace(/\.(\d+)Z$/, (_, part) => `.${part.padEnd(digits, '0').slice(0, digits)}Z`);
  };
  for (const path of world.paths()) {
    if (files.test(path)) world.write(path, world.text(path).replaceAll(TIME, moved));
  }
}

/** Another name for something, everywhere: in what is said and in the paths of files. */
export function renamed(world: World, from: string, to: string): void {
  for (const path of world.paths()) {
    const content = world.text(path).replaceAll(from, to);
    const next = path.replaceAll(from, to);
    if (next !== path) world.remove(path);
    world.write(next, content);
  }
}

/** The kinds of a group are not installed. */
export function withoutGroup(world: World, group: string): void {
  world.json('discovery.json', document => {
    document.groups = document.groups.filter((entry: RawObject) => entry.group !== group);
  });
  for (const path of world.paths()) if (path.startsWith(`objects/${group}/`)) world.remove(path);
  world.list('apiextensions.k8s.io/v1/customresourcedefinitions', items =>
    items.filter(item => item.spec.group !== group),
  );
}

/** Prometheus has run for some minutes and has cut no block, and nothing is in the bucket. */
export function emptyBucket(world: World): void {
  const began = world.now - 480_000;
  for (const path of world.paths()) {
    if (/api_v1_stores\.json$/.test(path)) {
      world.json(path, ({ data }) => {
        for (const entry of data.sidecar ?? []) entry.minTime = began;
      });
    }
    if (/api_v1_status_tsdb\.json$/.test(path)) {
      world.json(path, ({ data }) => {
        data.headStats.minTime = began;
      });
    }
    if (/metrics\.txt$/.test(path)) {
      const lowest = /^(prometheus_tsdb_lowest_timestamp_seconds|prometheus_tsdb_head_min_time) \S+$/gm;
      world.write(
        path,
        world
          .text(path)
          .replaceAll(lowest, (_, name) => `${name} ${name.endsWith('seconds') ? began / 1000 : began}`)
          .replaceAll(/^(prometheus_tsdb_blocks_loaded|prometheus_tsdb_storage_blocks_bytes) \S+$/gm, '$1 0'),
      );
    }
    if (path.startsWith('logs/')) {
      const kept = world
        .text(path)
        .split('\n')
        .filter(line => !/ulid=|upload new block|id=01/.test(line));
      world.write(path, kept.join('\n'));
    }
    if (/^buckets\/.*\/(metas|marks)\//.test(path)) world.remove(path);
    if (/^buckets\/.*objects\.jsonl$/.test(path)) world.write(path, '');
    if (/api_v1_blocks_view/.test(path)) {
      world.json(path, document => {
        document.data.blocks = [];
      });
    }
    if (/api_v1_stores\.json$/.test(path)) {
      world.json(path, ({ data }) => {
        for (const entry of data.store ?? []) {
          Object.assign(entry, {
            labelSets: [{ '@thanos_compatibility_store_type': 'store' }],
            // Go's largest and smallest number, as far as they can be written here.
            minTime: Number.MAX_SAFE_INTEGER,
            maxTime: Number.MIN_SAFE_INTEGER,
          });
        }
      });
    }
    if (/metrics\.txt$/.test(path)) {
      const none =
        /^(thanos_blocks_meta_synced|thanos_bucket_store_blocks_loaded|thanos_shipper_uploads_total|thanos_objstore_bucket_last_successful_upload_time)(.*) \S+$/gm;
      world.write(path, world.text(path).replaceAll(none, '$1$2 0'));
    }
  }
  if (world.paths().includes('buckets/index.yaml')) {
    world.yaml('buckets/index.yaml', entries => {
      for (const entry of entries as never as RawObject[]) entry.objects = 0;
    });
  }
}

/** The edge has no load balancer: an Ingress of another controller leads to its sidecars, and the hub was given the host. */
export function throughIngress(hub: World, edge: World, before: string, host: string): void {
  const given = `${host}:443`;
  const address = before.split(':')[0]!;
  edge.list('core/v1/services', services => {
    for (const service of services) {
      if (service.status?.loadBalancer?.ingress?.[0]?.ip !== address) continue;
      Object.assign(service, { status: { loadBalancer: {} } });
      service.spec.type = 'ClusterIP';
      for (const port of service.spec.ports) delete port.nodePort;
      edge.list('networking.k8s.io/v1/ingresses', ingresses => {
        const { name, namespace, creationTimestamp } = service.metadata;
        const backend = { service: { name, port: { number: service.spec.ports[0].port } } };
        ingresses.push({
          metadata: { name, namespace, uid: 'ingress-of-sidecars', creationTimestamp },
          spec: {
            ingressClassName: 'nginx',
            tls: [{ hosts: [host] }],
            rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
          },
          status: { loadBalancer: { ingress: [{ ip: '192.168.101.240' }] } },
        });
      });
    }
  });
  edge.list('networking.k8s.io/v1/ingressclasses', classes => {
    classes.push({ metadata: { name: 'nginx', uid: 'nginx' }, spec: { controller: 'k8s.io/ingress-nginx' } });
  });
  edge.list('coordination.k8s.io/v1/leases', leases => leases.filter(lease => !/l2announce/.test(lease.metadata.name)));
  hub.replace(/^(?!objects\/coordination)/, before, given);
  edge.yaml(
    'probes.yaml',
    probes => (probes as never as RawObject[]).filter(probe => probe.endpoint !== before) as never,
  );
  for (const world of [hub, edge]) {
    world.yaml(
      'probes.yaml',
      probes =>
        [
          ...(probes as never as RawObject[]).filter(probe => probe.endpoint !== given),
          { endpoint: given, from: 'here', for: ['ingress', 'thanos-endpoint'], tcp: 'open', speaks: 'grpc' },
        ] as never,
    );
  }
}
