import type { Gap } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { fetched } from '../collector.ts';
import { withUnknownFields } from '../gaps.ts';

const SHAPE = {
  /** Always true: a cluster that does not answer is a gap. */
  reachable: 'bool',
  version: 'str',
  minor: 'int',
  host: 'str',
  context: 'str',
  takenAt: 'time',
  ready: 'bool',
  /** Seconds: its clock less that of the machine that read it, and how long the request took that told it. */
  clockDifference: 'int',
  clockWithin: 'float',
  /** The credential of the kubeconfig, where it has an end and does not renew itself; `kind` '' for any other. */
  credential: { kind: 'str', user: 'str', expires: 'time', expired: 'bool', remaining: 'int' },
} as const;

type Server = ShapeOf<typeof SHAPE>;

const NO_CREDENTIAL = { kind: '', user: '', expires: '', expired: false, remaining: 0 } as const;

export const collector = fetched({
  id: 'kubernetes.server',
  about: 'What the API server is, when it answered, by which clock, and with which credential it was asked.',
  core: true,
  needs: [
    { verbs: ['get'], group: '', resource: '/version' },
    { verbs: ['get'], group: '', resource: '/readyz' },
  ],
  shape: SHAPE,
  async collect(context): Promise<Server> {
    const { source } = context;
    const { version, minor, host, context: name, ready, clock, credential } = await source.server();
    const remaining = credential ? Math.floor((Date.parse(credential.expires) - context.takenAt) / 1000) : 0;
    const row: Server = {
      reachable: true,
      version,
      minor,
      host,
      context: name,
      takenAt: source.takenAt(),
      ready,
      clockDifference: clock?.difference ?? 0,
      clockWithin: clock?.within ?? 0,
      credential: credential
        ? { ...credential, expired: remaining <= 0, remaining: Math.max(0, remaining) }
        : NO_CREDENTIAL,
    };
    const untold = source.is === 'bundle' && !credential ? (['credential'] as const) : [];
    const timeless = clock ? [] : (['clockDifference', 'clockWithin'] as const);
    return withUnknownFields(row, NOT_TOLD, [...timeless, ...untold]);
  },
});

const NOT_TOLD: Gap = {
  evidence: 'kubernetes.server',
  reason: 'not-in-bundle',
  detail: 'neither the clock of the API server nor the end of the credential was kept',
  path: '/version',
  notLookedAt: true,
};
