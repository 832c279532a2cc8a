import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as logsCollector } from '../collectors/logs.signatures.ts';
import { identify, THANOS_COMPONENTS } from '../components/identify.ts';
import { gapElement, gapOf, gapped, gapsIn, known, listOrGap } from '../gaps.ts';
import { objectKey } from '../objects.ts';
import { collector as containersCollector } from './kubernetes.containers.ts';
import { collector as crashesCollector } from './kubernetes.crashes.ts';

const ROW = {
  /** Key of the claim. */
  claim: 'str',
  containerKey: 'str',
  path: 'str',
} as const;

type Row = ShapeOf<typeof ROW>;
type Container = ShapeOf<(typeof containersCollector)['shape']>[number];

/** They run on while they cannot write. Prometheus and Thanos say it in ways of their own, and have rules for it. */
const RUN_ON: ReadonlySet<string> = new Set(['grafana', 'alertmanager']);
/** Seconds in which a line says something of now. */
const FRESH = 900;

export const collector = derived({
  id: 'storage.logged-no-space',
  about: 'Claims of which a log says that no space is left: of containers that end by it, and of those that run on.',
  needs: logsCollector.needs,
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const crashes = await listOrGap(context.get(crashesCollector));
    const ended = known(crashes)
      .filter(crash => !hasRulesOfItsOwn(identify({ image: crash.image, command: [], args: crash.args })))
      .flatMap(({ containerKey, files }) =>
        files.flatMap(file => {
          if (gapOf(file)) return [file as never];
          const { claim, path, trouble } = file;
          return trouble === 'no-space' && claim !== '' ? [{ claim, containerKey, path }] : [];
        }),
      );
    const containers = await listOrGap(context.get(containersCollector));
    const running = known(containers).filter(one => one.state === 'running' && RUN_ON.has(identify(one)));
    const logged = await Promise.all(running.map(one => loggedBy(one, context)));
    return [...ended, ...logged.flat(), ...gapsIn([...crashes, ...containers]).map(gap => gapElement(gap) as Row)];
  },
});

function hasRulesOfItsOwn(component: string): boolean {
  return component === 'prometheus' || THANOS_COMPONENTS.has(component);
}

async function loggedBy(one: Container, context: Context): Promise<readonly Row[]> {
  const pod = known(await listOrGap(context.get(podsCollector))).find(other => other.key === one.pod.key);
  const onClaims = one.mounts.flatMap(mount => {
    const volume = pod?.volumes.find(other => other.name === mount.volume && other.kind === 'claim');
    return volume
      ? [{ path: mount.path, claim: objectKey('PersistentVolumeClaim', one.pod.namespace, volume.source) }]
      : [];
  });
  if (onClaims.length === 0) return [];
  const { namespace, name } = one.pod;
  const log = await gapped(context.get(logsCollector, { namespace, pod: name, container: one.container }));
  const gap = gapOf(log);
  if (gap) return [gapElement(gap)];
  return log.hits.flatMap(hit => {
    if (gapOf(hit)) return [hit as never];
    if (hit.id !== 'volume-out-of-space' || !hit.open || hit.lastAge > FRESH) return [];
    const path = hit.captured.path ?? '';
    const found = onClaims.find(mount => path.startsWith(`${mount.path}/`));
    return found ? [{ claim: found.claim, containerKey: one.containerKey, path }] : [];
  });
}
