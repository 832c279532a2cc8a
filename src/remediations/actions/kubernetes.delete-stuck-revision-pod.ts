import type { Action } from '../../model/remediation.ts';
import { guard } from '../guards.ts';
import { nodeAnswers, previousLogSaved } from '../pods.ts';
import { existing } from '../steps.ts';
import { nameOf, targetOf, targetOfKey } from '../targets.ts';
import { controllerOf, isReady } from '../workloads.ts';

export const action: Action = {
  id: 'kubernetes.delete-stuck-revision-pod',
  title: 'replace the pod of the old revision',
  risk: 'restart',
  parameters: { pod: 'needed' },
  access: [
    { verbs: ['get', 'list', 'delete'], group: '', resource: 'pods' },
    { verbs: ['get'], group: 'apps', resource: 'statefulsets' },
    { verbs: ['list'], group: 'apps', resource: 'controllerrevisions' },
  ],
  async plan(input) {
    const target = targetOfKey(input.parameters.pod);
    const pod = await existing(input.api, target);
    const owner = controllerOf(pod);
    const set = await existing(input.api, targetOf('StatefulSet', target.namespace, owner?.name ?? target.name));
    const { uid } = pod.metadata;
    const ordinal = Number(/-(\d+)$/.exec(target.name)?.[1] ?? -1);
    const pods = (await input.api.list('', 'pods', target.namespace)).filter(
      other => controllerOf(other)?.uid === set.metadata.uid && !isReady(other),
    );
    const lowest = pods.map(other => other.metadata.name as string).sort(byOrdinal)[0];
    const revision = pod.metadata.labels?.['controller-revision-hash'];
    const condition = (pod.status?.conditions ?? []).find((entry: { type: string }) => entry.type === 'Ready');
    const since = Date.parse(condition?.lastTransitionTime ?? pod.metadata.creationTimestamp ?? '');
    return {
      steps: [
        { do: 'delete', title: `delete ${nameOf(target)}; its claim stays`, target, uid, orphan: false },
        { do: 'wait', title: `the new ${target.name} is ready`, target, until: { is: 'replaced', uid }, seconds: 300 },
      ],
      guards: [
        await guard('ordered-ready', 'the StatefulSet waits for one pod after another', () => {
          const { podManagementPolicy = 'OrderedReady', updateStrategy = {} } = set.spec ?? {};
          if (podManagementPolicy !== 'OrderedReady') return `its podManagementPolicy is ${podManagementPolicy}`;
          if ((updateStrategy.type ?? 'RollingUpdate') !== 'RollingUpdate')
            return `its update strategy is ${updateStrategy.type}`;
          const partition = updateStrategy.rollingUpdate?.partition ?? 0;
          return (
            ordinal >= partition || `pod ${ordinal} lies below the partition ${partition}: it is held back on purpose`
          );
        }),
        await guard(
          'wrong-revision',
          'the pod is of another revision than the StatefulSet wants',
          () =>
            (revision !== undefined && revision !== set.status?.updateRevision) ||
            `it is of revision ${revision}, which is the one that is wanted`,
        ),
        await guard(
          'lowest-unready',
          'it is the first pod that is not ready',
          () => lowest === target.name || `${lowest ?? 'no pod'} is the first that is not ready`,
        ),
        await guard('unready-10-min', 'it has not been ready for ten minutes', () => {
          if (isReady(pod)) return 'it is ready';
          if (Number.isNaN(since)) return 'since when it is not ready cannot be told';
          return Date.parse(input.api.now()) - since >= 600_000 || 'it is not ready for less than ten minutes';
        }),
        await guard('template-newer-than-pod', 'the revision that is wanted is the newer one', async () => {
          const revisions = await input.api.list('apps', 'controllerrevisions', target.namespace);
          const numberOf = (name: string | undefined) =>
            revisions.find(({ metadata, revision: number }) => metadata.name === name && typeof number === 'number')
              ?.revision as number | undefined;
          const [own, wanted] = [numberOf(revision), numberOf(set.status?.updateRevision)];
          if (own === undefined || wanted === undefined) return 'which of the revisions is the newer cannot be told';
          return wanted > own || `revision ${own} of the pod is newer than ${wanted}, which is wanted`;
        }),
        await guard('claim-kept', 'no volume goes with the pod', () => {
          const volume = (pod.spec?.volumes ?? []).find((entry: { ephemeral?: unknown }) => entry.ephemeral);
          return volume ? `volume ${volume.name} is ephemeral: it is deleted with the pod` : true;
        }),
        await guard('new-revision-plausible', 'what the new revision names is there', () =>
          referencesExist(input.api, target.namespace, set),
        ),
        await nodeAnswers(input, pod),
        await previousLogSaved(input, [pod]),
      ],
      riskText: 'a pod that does not work is made anew',
      verify: { what: `${input.finding.rule} is healthy`, seconds: 300 },
      undo: { what: 'not needed: the pod is made anew', steps: [] },
      mends: true,
    };
  },
};

function byOrdinal(a: string, b: string): number {
  const ordinal = (name: string) => Number(/-(\d+)$/.exec(name)?.[1] ?? 0);
  return ordinal(a) - ordinal(b);
}

async function referencesExist(
  api: Parameters<Action['plan']>[0]['api'],
  namespace: string,
  set: Awaited<ReturnType<typeof existing>>,
): Promise<true | string> {
  for (const volume of set.spec?.template?.spec?.volumes ?? []) {
    const { secret, configMap } = volume;
    if (configMap?.name && !configMap.optional && !(await api.get(targetOf('ConfigMap', namespace, configMap.name)))) {
      return `ConfigMap ${configMap.name} does not exist`;
    }
    if (secret?.secretName && !secret.optional && !(await api.get(targetOf('Secret', namespace, secret.secretName)))) {
      return `Secret ${secret.secretName} does not exist`;
    }
  }
  return true;
}
