import type { Guard, PlanInput } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { rowsOf } from './evidence-rows.ts';
import { guard } from './guards.ts';
import { bytesOf, quantityOf } from './quantities.ts';
import { Refusal } from './refusal.ts';
import { targetOf } from './targets.ts';

const GROWTH = 1.5;
const GIBIBYTE = 1024 ** 3;

/** What a claim is to have: what was asked for, else half more than now, and no less than the finding says (`least`, bytes). */
export function newSize({ wishes, parameters }: PlanInput, now: number): string {
  const least = Number(parameters.least ?? 0) || 0;
  if (wishes.size === '') return quantityOf(Math.max(now * GROWTH, least), GIBIBYTE);
  const bytes = bytesOf(wishes.size);
  if (bytes === undefined) throw new Refusal('size', `${wishes.size} is no quantity`);
  if (bytes <= now) throw new Refusal('never-smaller', `a claim cannot be made smaller: it has ${quantityOf(now)}`);
  return quantityOf(bytes);
}

/** Guards of everything that grows claims. */
export async function claimGuards(
  input: PlanInput,
  claims: readonly RawObject[],
  size: string,
): Promise<readonly Guard[]> {
  return [
    await guard('class-expandable', 'its class allows it', async () => {
      for (const claim of claims) {
        const name = claim.spec?.storageClassName;
        if (!name) return `claim ${claim.metadata.name} has no class`;
        const found = await input.api.get(targetOf('StorageClass', '', name));
        if (found?.allowVolumeExpansion !== true) return `class ${name} does not let claims grow`;
      }
      return true;
    }),
    await guard('bound-and-attached', 'its volume is bound', () => {
      const loose = claims.find(claim => claim.status?.phase !== 'Bound' || claim.metadata.deletionTimestamp);
      return loose
        ? `claim ${loose.metadata.name} is ${loose.metadata.deletionTimestamp ? 'being deleted' : loose.status?.phase}`
        : true;
    }),
    await guard('replicas-fit-nodes', 'its replicas find as many nodes', async () => {
      if (!(await usesLonghorn(input, claims))) return true;
      const nodes = await rowsOf(input.evidence, 'longhorn.nodes');
      const able = nodes.filter(node => node.disks.some((disk: RawObject) => disk.schedulable)).length;
      const names = new Set(claims.map(claim => claim.spec?.volumeName));
      for (const row of await rowsOf(input.evidence, 'longhorn.volumes')) {
        if (!names.has(row.name)) continue;
        const live = await input.api.get(longhornVolume(row.name, row.namespace));
        const wanted = Number(live?.spec?.numberOfReplicas ?? 0);
        if (wanted > able)
          return `volume ${row.name} wants ${wanted} replicas, and ${able} nodes can have one: lower their number first`;
      }
      return true;
    }),
    await guard('longhorn-can-grow', 'the storage below has room', async () => {
      const volumes = new Set(claims.map(claim => claim.spec?.volumeName).filter(Boolean));
      const isLonghorn = await usesLonghorn(input, claims);
      if (!isLonghorn) return true;
      for (const row of await rowsOf(input.evidence, 'longhorn.volumes')) {
        if (!volumes.has(row.name)) continue;
        if (!/^(?:healthy|degraded|unknown)$/.test(row.robustness)) return `volume ${row.name} is ${row.robustness}`;
        const live = await input.api.get(longhornVolume(row.name, row.namespace));
        const scheduled = (live?.status?.conditions ?? []).find(
          (condition: RawObject) => condition.type === 'Scheduled' || condition.type === 'scheduled',
        );
        if (scheduled && scheduled.status !== 'True')
          return `volume ${row.name} has replicas that find no place (${scheduled.reason}): lower their number first`;
        const more = (bytesOf(size) ?? 0) - Number(live?.spec?.size ?? 0);
        const roomy = (await rowsOf(input.evidence, 'longhorn.nodes')).some(node =>
          node.disks.some((disk: RawObject) => disk.schedulable && disk.available > more),
        );
        if (!roomy) return `no disk of Longhorn has ${quantityOf(Math.max(0, more))} left`;
      }
      return true;
    }),
  ];
}

function longhornVolume(name: string, namespace: string) {
  return { group: 'longhorn.io', resource: 'volumes', kind: 'Volume', namespace, name };
}

async function usesLonghorn({ api }: PlanInput, claims: readonly RawObject[]): Promise<boolean> {
  for (const claim of claims) {
    const found = await api.get(targetOf('StorageClass', '', claim.spec?.storageClassName ?? ''));
    if (found?.provisioner === 'driver.longhorn.io') return true;
  }
  return false;
}
