import type { Action, Change, PlanInput, Step, Target } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { valueAt } from '../changes.ts';
import { refuseCredentials } from '../credentials.ts';
import { guard, passed } from '../guards.ts';
import { ownerOf } from '../owners.ts';
import { Refusal } from '../refusal.ts';
import { existing, rolledOut, startSeconds } from '../steps.ts';
import { nameOf, targetOf, targetOfKey } from '../targets.ts';
import { changesBetween, referencesIn } from '../templates.ts';
import { undoStepsOf } from '../undo.ts';
import { controllerOf } from '../workloads.ts';

const REVISION = 'deployment.kubernetes.io/revision';
const HASH = 'pod-template-hash';
/** Milliseconds after its start within which a pod that was never ready got its condition. */
const AT_START = 60_000;

export const action: Action = {
  id: 'kubernetes.undo-rollout',
  title: 'go back to the template that worked',
  risk: 'change',
  parameters: { workload: 'needed' },
  access: [
    { verbs: ['get', 'patch'], group: 'apps', resource: 'deployments' },
    { verbs: ['list'], group: 'apps', resource: 'replicasets' },
    { verbs: ['list'], group: '', resource: 'pods' },
    { verbs: ['get'], group: '', resource: 'secrets' },
    { verbs: ['get'], group: '', resource: 'configmaps' },
    { verbs: ['get'], group: '', resource: 'serviceaccounts' },
    { verbs: ['get'], group: '', resource: 'persistentvolumeclaims' },
  ],
  async plan(input) {
    const target = targetOfKey(input.parameters.workload);
    if (target.kind !== 'Deployment') throw new Refusal('is-deployment', `${nameOf(target)} keeps no earlier template`);
    const object = await existing(input.api, target);
    const sets = (await input.api.list('apps', 'replicasets', target.namespace))
      .filter(set => controllerOf(set)?.uid === object.metadata.uid)
      .sort((a, b) => revisionOf(b) - revisionOf(a));
    const [newest, ...older] = sets;
    const previous = older.find(set => (set.status?.readyReplicas ?? 0) > 0);
    if (!newest || !previous)
      throw new Refusal('previous-was-ready', `${nameOf(target)} has no earlier ReplicaSet with a pod that is ready`);
    const template = withoutHash(previous.spec?.template);
    const changes = changesBetween(object.spec?.template, template, ['spec', 'template']);
    if (changes.length === 0) throw new Refusal('something-to-change', `${nameOf(target)} has that template already`);
    refuseCredentials(
      [changes, surroundings(changes, object), surroundings(changes, { spec: { template } })],
      nameOf(target),
    );
    const change: Step = {
      do: 'change',
      title: `write the template of revision ${revisionOf(previous)} back into ${nameOf(target)}`,
      target,
      uid: object.metadata.uid,
      changes,
    };
    const wait = rolledOut(target, startSeconds(object));
    return {
      steps: [change, wait],
      guards: [
        passed('previous-was-ready', 'pods of the earlier template are ready'),
        await guard('new-never-ready', 'no pod of the newer template was ever ready', async () => {
          if ((newest.status?.readyReplicas ?? 0) > 0) return `pods of ${newest.metadata.name} are ready`;
          const pods = await input.api.list('', 'pods', target.namespace);
          const own = pods.filter(pod => controllerOf(pod)?.uid === newest.metadata.uid);
          const once = own.find(wasReady);
          return once ? `${once.metadata.name} was ready once: the template may not be what is wrong` : true;
        }),
        await guard('same-references-exist', 'what the earlier template names is there', () =>
          allThere(input, target, template),
        ),
        await guard('not-gitops', 'no repository decides on it', () => {
          const owner = ownerOf(object);
          return owner.is !== 'gitops' || `it comes from ${owner.who}: take the change back there`;
        }),
      ],
      riskText: 'what the newer template was to bring is taken back',
      verify: { what: `${input.finding.rule} is healthy`, seconds: 300 },
      undo: { what: 'writes the newer template again', steps: undoStepsOf([change]) },
      mends: true,
    };
  },
};

/** The variable or the list in which a value is changed: its neighbours tell that it is a credential. */
function surroundings(changes: readonly Change[], object: RawObject): readonly unknown[] {
  return changes.flatMap(({ path }) => {
    const list = path.findLastIndex(part => typeof part === 'number');
    if (list === path.length - 1) return [valueAt(object, path.slice(0, -1))];
    return path[list - 1] === 'env' ? [valueAt(object, path.slice(0, list + 1))] : [];
  });
}

function revisionOf(set: RawObject): number {
  return Number(set.metadata.annotations?.[REVISION] ?? 0);
}

function withoutHash(template: RawObject): RawObject {
  const { [HASH]: _hash, ...labels } = template?.metadata?.labels ?? {};
  const { creationTimestamp: _created, ...metadata } = template?.metadata ?? {};
  return { ...template, metadata: { ...metadata, labels } };
}

/** A condition that changed long after the start has been another before. */
function wasReady(pod: RawObject): boolean {
  const ready = (pod.status?.conditions ?? []).find((condition: RawObject) => condition.type === 'Ready');
  const since = Date.parse(ready?.lastTransitionTime ?? '');
  const start = Date.parse(pod.status?.startTime ?? pod.metadata.creationTimestamp ?? '');
  return ready?.status === 'True' || since - start > AT_START;
}

async function allThere({ api }: PlanInput, { namespace }: Target, template: RawObject): Promise<true | string> {
  const read = new Map<string, RawObject | undefined>();
  for (const { kind, name, key } of referencesIn(template)) {
    const target = targetOf(kind, namespace, name);
    if (!read.has(nameOf(target))) read.set(nameOf(target), await api.get(target));
    const object = read.get(nameOf(target));
    if (!object) return `${nameOf(target)} does not exist any more`;
    if (key && object.data?.[key] === undefined && object.binaryData?.[key] === undefined)
      return `${nameOf(target)} has no key ${key} any more`;
  }
  return true;
}
