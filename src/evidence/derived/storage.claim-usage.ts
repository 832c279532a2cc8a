import type { Gap } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { type Context, derived } from '../collector.ts';
import { type NodeStatistics, collector as nodeStatisticsCollector } from '../collectors/kubernetes.node-statistics.ts';
import { collector as claimsCollector } from '../collectors/kubernetes.persistent-volume-claims.ts';
import { collector as alertsCollector } from '../collectors/prometheus.alerts.ts';
import { gapOf, known, listOrGap, orGap, withUnknownFields } from '../gaps.ts';
import { FILESYSTEM, filesystem } from '../node-statistics.ts';
import { age, list, objectKey, REF, ref, text } from '../objects.ts';

const ROW = {
  claim: REF,
  class: 'str',
  volume: REF,
  pods: [REF],
  workloads: [REF],
  /** Only to be read: full by nature. */
  readOnly: 'bool',
  ...FILESYSTEM,
  /** It is a directory of the node's own filesystem. */
  onNodeFilesystem: 'bool',
  measured: 'bool',
  measuredAge: 'int',
  /** Severity of a KubePersistentVolumeFillingUp that fires for it; '' if none does, or none could be asked. */
  alert: 'str',
  alertSince: 'time',
} as const;

type Usage = ShapeOf<typeof ROW>;
type Claim = ShapeOf<typeof claimsCollector.shape>[number];

const MEASURED = [...Object.keys(FILESYSTEM), 'onNodeFilesystem', 'measuredAge'] as (keyof Usage & string)[];

export const collector = derived({
  id: 'storage.claim-usage',
  about: 'How full the filesystem of each claim is, by the kubelet that has it mounted; else whether an alert says so.',
  needs: [{ verbs: ['get'], group: '', resource: 'nodes/proxy' }],
  shape: [ROW],
  async collect(context): Promise<readonly Usage[]> {
    const [claims, statistics, alerts] = await Promise.all([
      context.get(claimsCollector),
      context.get(nodeStatisticsCollector),
      alertsByClaim(context),
    ]);
    const measured = volumesByClaim(statistics, context);
    const gap = statistics.find(one => one.gap)?.gap;
    return claims.flatMap(claim => {
      if (gapOf(claim)) return [claim as never];
      if (claim.phase !== 'Bound' || claim.mode === 'Block') return [];
      return [orGap(() => rowOf(claim, measured.get(claim.key), alerts.get(claim.key), gap))];
    });
  },
});

type Measured = Pick<Usage, keyof typeof FILESYSTEM | 'onNodeFilesystem' | 'measuredAge'>;

function volumesByClaim(statistics: readonly NodeStatistics[], context: Context): ReadonlyMap<string, Measured> {
  const found = new Map<string, Measured>();
  for (const { summary } of statistics) {
    const ofNode = filesystem(summary?.node?.fs).capacity;
    for (const volume of list(summary?.pods).flatMap(pod => list(pod?.volume))) {
      const claim: RawObject = volume?.pvcRef;
      const usage = filesystem(volume);
      if (!claim || usage.capacity === 0) continue;
      found.set(objectKey('PersistentVolumeClaim', text(claim.namespace), text(claim.name)), {
        ...usage,
        onNodeFilesystem: usage.capacity === ofNode,
        measuredAge: age(context, text(volume.time)),
      });
    }
  }
  return found;
}

interface Alert {
  readonly severity: string;
  readonly since: string;
}

async function alertsByClaim(context: Context): Promise<ReadonlyMap<string, Alert>> {
  const found = new Map<string, Alert>();
  for (const row of known(await listOrGap(context.get(alertsCollector)))) {
    if (row.component !== 'prometheus') continue;
    const alerts = orGap(() => row.alerts);
    for (const { name, state, labels, activeSince } of gapOf(alerts) ? [] : alerts) {
      if (name !== 'KubePersistentVolumeFillingUp' || state !== 'firing') continue;
      const key = objectKey('PersistentVolumeClaim', labels.namespace ?? '', labels.persistentvolumeclaim ?? '');
      if (found.get(key)?.severity !== 'critical') {
        found.set(key, { severity: labels.severity ?? 'warning', since: activeSince });
      }
    }
  }
  return found;
}

function rowOf(claim: Claim, usage: Measured | undefined, alert: Alert | undefined, gap: Gap | undefined): Usage {
  const row = {
    claim: ref('PersistentVolumeClaim', claim.namespace, claim.name, claim.uid),
    class: claim.class,
    volume: ref('PersistentVolume', '', claim.volume),
    pods: claim.usedBy,
    workloads: claim.workloads,
    readOnly: claim.accessModes.length > 0 && claim.accessModes.every(mode => mode === 'ReadOnlyMany'),
    measured: usage !== undefined,
    alert: alert?.severity ?? '',
    alertSince: alert?.since ?? '',
  };
  if (usage) return { ...row, ...usage };
  return withUnknownFields<Usage>(row, gap ?? notMounted(claim), MEASURED);
}

/** Only a kubelet that has it mounted counts it: without a pod there is nothing to ask. */
function notMounted(claim: Claim): Gap {
  return {
    evidence: 'storage.claim-usage',
    reason: 'not-asked',
    detail: `no kubelet has numbers of claim ${claim.namespace}/${claim.name}: no running pod mounts it`,
    path: '',
    notLookedAt: true,
  };
}
