import { parse } from 'yaml';
import type { ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { fetched } from '../collector.ts';
import { askEach, type Part, replicasOf } from '../components/replicas.ts';
import { flag, list, malformed, REF, strings, text } from '../objects.ts';

const SHAPE = [
  {
    alertmanager: REF,
    pod: REF,
    ready: 'bool',
    /** ready, settling or disabled */
    cluster: 'str',
    peers: 'int',
    /** Pods that it is meant to have. */
    peersExpected: 'int',
    version: 'str',
    receivers: [{ name: 'str', kinds: ['str'] }],
    defaultReceiver: 'str',
    /** The tree in order; `path` is the place in it, e.g. `0.1`; the root is ''. */
    routes: [{ path: 'str', receiver: 'str', matchers: ['str'], continue: 'bool', depth: 'int', timed: 'bool' }],
    inhibitions: 'int',
    /** The default receiver has no integration. */
    routesToNothing: 'bool',
    started: 'time',
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];
type Route = Row['routes'][number];

export const collector = fetched({
  id: 'alertmanager.status',
  about: 'Each Alertmanager: its cluster, and its routes and receivers by name. No value of a receiver is kept.',
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const ready: Part<Row> = {
      fields: ['ready'],
      // Its /-/ready says OK from the moment on that it serves anything: the page that is read anyway tells the same.
      async read(asker) {
        if ((await asker.answer('/api/v2/status')).status === 200) return { ready: true };
        return { ready: (await asker.answer('/-/ready')).status === 200 };
      },
    };
    const status: Part<Row> = {
      fields: [
        'cluster',
        'peers',
        'version',
        'receivers',
        'defaultReceiver',
        'routes',
        'inhibitions',
        'routesToNothing',
        'started',
      ],
      async read(asker) {
        const data = await asker.json('/api/v2/status');
        const config = configurationOf(text(data?.config?.original));
        const receivers = list(config.receivers).map(receiver => ({
          name: text(receiver?.name),
          kinds: integrationsOf(receiver),
        }));
        const defaultReceiver = text(config.route?.receiver);
        return {
          cluster: text(data?.cluster?.status),
          peers: list(data?.cluster?.peers).length,
          version: text(data?.versionInfo?.version),
          receivers,
          defaultReceiver,
          routes: routesOf(config.route, '', 0, defaultReceiver),
          inhibitions: list(config.inhibit_rules).length,
          routesToNothing: receivers.find(receiver => receiver.name === defaultReceiver)?.kinds.length === 0,
          started: text(data?.uptime),
        };
      },
    };
    return askEach<Row>(
      context,
      { id: 'alertmanager.status', core: false },
      await replicasOf(context, ['alertmanager']),
      replica => ({ alertmanager: replica.subject, pod: replica.pod, peersExpected: replica.replicas }),
      [ready, status],
    );
  },
});

function configurationOf(yaml: string): RawObject {
  try {
    const document = parse(yaml, { logLevel: 'silent' });
    if (typeof document === 'object' && document !== null) return document;
  } catch {
    // Said below.
  }
  throw malformed('the configuration that Alertmanager shows is not YAML');
}

function integrationsOf(receiver: RawObject): readonly string[] {
  return Object.entries(receiver ?? {})
    .filter(([key, value]) => key.endsWith('_configs') && Array.isArray(value) && value.length > 0)
    .map(([key]) => key.slice(0, -'_configs'.length));
}

/** A route and all below it. A child without a receiver has its parent's. */
function routesOf(route: RawObject, path: string, depth: number, inherited: string): readonly Route[] {
  const receiver = text(route?.receiver) || inherited;
  const old = [...Object.entries(strings(route?.match)), ...Object.entries(strings(route?.match_re))];
  const self: Route = {
    path,
    receiver,
    matchers: [...list(route?.matchers).map(text), ...old.map(([label, value]) => `${label}=${value}`)],
    continue: flag(route?.continue),
    depth,
    timed: list(route?.active_time_intervals).length + list(route?.mute_time_intervals).length > 0,
  };
  const children = list(route?.routes).flatMap((child, index) =>
    routesOf(child, path === '' ? String(index) : `${path}.${index}`, depth + 1, receiver),
  );
  return [self, ...children];
}
