import { parse } from 'yaml';
import type { Gap } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { derived } from '../collector.ts';
import { collector as configMapsCollector } from '../collectors/kubernetes.config-maps.ts';
import { type Behind, behindServices, serviceRef } from '../components/behind-services.ts';
import { isIpAddress, serviceOf } from '../components/endpoint-address.ts';
import { makeUnknown } from '../components/unknown-fields.ts';
import { gapElement, gapOf, gapsIn, known, listOrGap, orGap } from '../gaps.ts';
import { flag, list, malformed, NOBODY, number, REF, ref, strings, text } from '../objects.ts';
import { collector as instancesCollector } from './grafana.instances.ts';

const SHAPE = [
  {
    name: 'str',
    uid: 'str',
    type: 'str',
    url: 'str',
    host: 'str',
    port: 'int',
    default: 'bool',
    organisation: 'int',
    /** The ConfigMap that provisions it. */
    object: REF,
    /** The workload that runs the Grafana of its namespace; the first one where there is none. */
    grafana: REF,
    /** cluster (a Service's name), outside, or variable (the URL is filled in at run time) */
    place: 'str',
    service: REF,
    serviceExists: 'bool',
    portExists: 'bool',
    /** Ports of the Service, `name:number`. */
    portNames: ['str'],
    /** Services of that namespace. */
    services: ['str'],
    backendsReady: 'int',
    /** prometheus, thanos-query, thanos-query-frontend, other, or unknown */
    target: 'str',
    /** What it leads to: custom resource, else workload. */
    targets: [REF],
    /** It leads to a port that speaks gRPC. */
    grpc: 'bool',
    params: 'map',
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];

const TARGETS: Readonly<Record<string, string>> = {
  prometheus: 'prometheus',
  query: 'thanos-query',
  'query-frontend': 'thanos-query-frontend',
};

export const collector = derived({
  id: 'grafana.datasources',
  about: 'Datasources as ConfigMaps provision them, and the Service that each leads to.',
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const [configMaps, instances] = await Promise.all([
      context.get(configMapsCollector),
      listOrGap(context.get(instancesCollector)),
    ]);
    const grafanas = known(instances).map(instance => instance.object);
    if (grafanas.length === 0) return gapsIn(instances).map(gapElement);
    const behind = await behindServices(context);
    return configMaps.flatMap((configMap): readonly Row[] => {
      const gap = gapOf(configMap);
      if (gap) return [gapElement(gap)];
      if (!('grafana_datasource' in configMap.labels)) return [];
      const object = ref('ConfigMap', configMap.namespace, configMap.name, configMap.uid);
      const grafana = grafanas.find(one => one.namespace === configMap.namespace) ?? grafanas[0]!;
      const rows = orGap(() => Object.values(configMap.data).flatMap(datasourcesOf));
      const unread = gapOf(rows);
      return unread ? [gapElement(unread)] : rows.map(raw => rowOf(raw, object, grafana, behind));
    });
  },
});

function datasourcesOf(yaml: string): readonly RawObject[] {
  try {
    return list(parse(yaml, { logLevel: 'silent' })?.datasources);
  } catch {
    throw malformed('a provisioning file of datasources is not YAML');
  }
}

function rowOf(raw: RawObject, object: Ref, grafana: Ref, behind: Behind): Row {
  const url = text(raw?.url);
  const { host, port } = addressOf(url);
  const wanted = isIpAddress(host) ? null : insideName(host, grafana.namespace, behind);
  const place = /\$\{?[A-Za-z_]/.test(url) ? 'variable' : wanted ? 'cluster' : 'outside';
  const row: Row = {
    name: text(raw?.name),
    uid: text(raw?.uid),
    type: text(raw?.type),
    url,
    host,
    port,
    default: flag(raw?.isDefault),
    organisation: number(raw?.orgId, 1),
    object,
    grafana,
    place,
    service: wanted ? ref('Service', wanted.namespace, wanted.name) : NOBODY,
    params: paramsOf(raw?.jsonData),
    ...NOWHERE,
  };
  if (place !== 'cluster' || !wanted) return row;
  const found = orGap(() => leadsTo(wanted, port, behind));
  const gap: Gap | undefined = gapOf(found);
  return gap ? makeUnknown(row, Object.keys(NOWHERE), gap) : { ...row, ...found };
}

/** `name.word` is a Service of namespace `word` only where there is such a namespace: it may be a host outside as well. */
function insideName(host: string, namespace: string, behind: Behind): ReturnType<typeof serviceOf> {
  const wanted = serviceOf(host, namespace);
  if (!wanted || wanted.namespace === namespace || /\.svc(?:\.|$)/.test(host)) return wanted;
  return behind.services.some(service => service.namespace === wanted.namespace) ? wanted : null;
}

const NOWHERE = {
  serviceExists: false,
  portExists: false,
  portNames: [],
  services: [],
  backendsReady: 0,
  target: 'unknown',
  targets: [],
  grpc: false,
} as const;

function leadsTo(wanted: { readonly namespace: string; readonly name: string }, port: number, behind: Behind) {
  const services = behind.services.filter(one => one.namespace === wanted.namespace).map(one => one.name);
  const service = behind.service(wanted.namespace, wanted.name);
  if (!service) return { ...NOWHERE, services };
  const outside = service.type === 'ExternalName';
  const listed = service.ports.find(one => one.port === port);
  const meant = behind.meant(service);
  const backends = listed ? behind.backends(service, listed.name) : [];
  // A headless Service gives the pods' addresses: there the pods' own ports count.
  const onPods = service.headless && meant.some(one => one.ports.some(candidate => candidate.port === port));
  const targetPort = backends[0]?.port ?? (Number(listed?.targetPort) || 0);
  const asked = meant.find(one => one.component in TARGETS) ?? meant[0];
  const grpcPort = meant.some(
    one => one.grpcPort !== 0 && one.grpcPort === (targetPort || port) && one.httpPort !== port,
  );
  return {
    service: serviceRef(service),
    serviceExists: true,
    portExists: outside || listed !== undefined || onPods,
    portNames: service.ports.map(one => `${one.name}:${one.port}`),
    services,
    backendsReady: backends.filter(backend => backend.ready).length,
    target: asked ? (TARGETS[asked.component] ?? 'other') : 'unknown',
    targets: [...new Map(meant.map(one => [one.subject.key, one.subject])).values()],
    grpc: grpcPort || /^grpc/.test(listed?.name ?? ''),
  };
}

function addressOf(url: string): { readonly host: string; readonly port: number } {
  if (!URL.canParse(url)) return { host: '', port: 0 };
  const { hostname, port, protocol } = new URL(url);
  return { host: hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) };
}

/** What is asked besides: no header, no password, nothing that could be a credential. */
function paramsOf(raw: RawObject): Readonly<Record<string, string>> {
  const kept: Record<string, unknown> = {};
  for (const name of ['customQueryParameters', 'timeInterval', 'timeout', 'httpMethod']) {
    if (raw?.[name] !== undefined) kept[name] = raw[name];
  }
  return strings(kept);
}
