import { type CommandLine, commandLine } from './command-line.ts';

/** What of a container tells which program it is. */
export interface Running {
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
}

/** Subcommands of Thanos that are components. */
export const THANOS_COMPONENTS: ReadonlySet<string> = new Set([
  'sidecar',
  'query',
  'query-frontend',
  'store',
  'compact',
  'rule',
  'receive',
  'tools',
]);

/** Thanos' own flags: a subcommand named `query` or `store` alone could be anybody's. */
const THANOS_FLAGS =
  /^--(?:grpc-address|http-address|grpc-grace-period|objstore\.config|objstore\.config-file|endpoint|endpoint-strict|store|query\.replica-label|query-frontend\.downstream-url|query-range\.|retention\.resolution-|prometheus\.url|tsdb\.path|data-dir|receive\.|alertmanagers\.)/;

/**
 * Which component a container is: `sidecar`, `query`, `query-frontend`, `store`, `compact`, `rule`, `receive`, `tools`,
 * or `prometheus`, `alertmanager`, `grafana`, `operator`, `config-reloader`, `coredns`, `minio`, `longhorn-manager`,
 * `longhorn-instance-manager`, `csi`, `cilium`; '' for anything else. Told by arguments first and by the image's own
 * name second, because labels, container names and registries are everybody's own choice.
 */
export function identify(running: Running): string {
  const { image, command, args } = running;
  const before = identified.get(args);
  if (before && before.image === image && before.command === command) return before.component;
  const line = commandLine(command, args);
  const component = thanosComponent(running, line) || otherComponent(running, line);
  identified.set(args, { image, command, component });
  return component;
}

/** By the arguments: siblings have them in common, as one and the same list. */
const identified = new WeakMap<
  readonly string[],
  { readonly image: string; readonly command: readonly string[]; readonly component: string }
>();

function thanosComponent({ image }: Running, line: CommandLine): string {
  if (!THANOS_COMPONENTS.has(line.verb)) return '';
  const isThanos = line.program === 'thanos' || repository(image) === 'thanos';
  return isThanos || line.flags.some(({ flag }) => THANOS_FLAGS.test(flag)) ? line.verb : '';
}

type Test = (repository: string, line: CommandLine) => boolean;

const has = (line: CommandLine, prefix: string) => line.flags.some(({ flag }) => flag.startsWith(prefix));

const OTHERS: readonly (readonly [string, Test])[] = [
  ['operator', (image, line) => image === 'prometheus-operator' || has(line, '--prometheus-config-reloader')],
  [
    'config-reloader',
    (image, line) => image === 'prometheus-config-reloader' || line.program === 'prometheus-config-reloader',
  ],
  [
    'prometheus',
    (image, line) => image === 'prometheus' || line.program === 'prometheus' || has(line, '--storage.tsdb.'),
  ],
  ['alertmanager', (image, line) => image === 'alertmanager' || line.program === 'alertmanager'],
  ['grafana', image => image === 'grafana' || image === 'grafana-oss' || image === 'grafana-enterprise'],
  ['coredns', (image, line) => image === 'coredns' || line.program === 'coredns'],
  ['minio', (image, line) => (image === 'minio' || line.program === 'minio') && line.verb !== 'operator'],
  [
    'longhorn-manager',
    (image, line) => image === 'longhorn-manager' && line.verb !== 'uninstall' && !has(line, '--drivername'),
  ],
  ['longhorn-instance-manager', image => image === 'longhorn-instance-manager'],
  ['csi', image => /^csi-|^(?:livenessprobe|longhorn-manager-csi)$/.test(image)],
  [
    'cilium',
    image => image === 'cilium' || image === 'cilium-ci' || /^operator-(?:generic|aws|azure|alibabacloud)$/.test(image),
  ],
];

function otherComponent({ image }: Running, line: CommandLine): string {
  const name = repository(image);
  return OTHERS.find(([, test]) => test(name, line))?.[0] ?? '';
}

/** Rancher's copies have the organisation in the name: `rancher/mirrored-thanos-thanos`. */
const MIRRORED = /^mirrored-(?:prometheus-operator|[a-z0-9]+)-(?=.)/;

/** The last word of the image's name: `quay.io/thanos/thanos:v0.37.2` is `thanos`. */
export function repository(image: string): string {
  const bare = image.split('@')[0]!.split('/').at(-1)!;
  return bare.split(':')[0]!.replace(MIRRORED, '');
}

/** The version that an image's tag states, without a leading `v`: `0.37.2`, '' for `latest`, a digest or none. */
export function imageVersion(image: string): string {
  const bare = image.split('@')[0]!.split('/').at(-1)!;
  return /^v?([0-9]+\.[0-9]+(?:\.[0-9]+)?)/.exec(bare.split(':')[1] ?? '')?.[1] ?? '';
}
