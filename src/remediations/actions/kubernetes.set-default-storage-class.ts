import type { Action } from '../../model/remediation.ts';
import { guard } from '../guards.ts';
import { changeStep, existing } from '../steps.ts';
import { targetOf } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

const DEFAULT = 'storageclass.kubernetes.io/is-default-class';

export const action: Action = {
  id: 'kubernetes.set-default-storage-class',
  title: 'make the class the default one',
  risk: 'change',
  parameters: { class: 'needed' },
  access: [
    { verbs: ['get', 'list', 'patch'], group: 'storage.k8s.io', resource: 'storageclasses' },
    { verbs: ['list'], group: '', resource: 'persistentvolumeclaims' },
  ],
  async plan(input) {
    const name = (input.parameters.class ?? '').replace(/^StorageClass /, '');
    const target = targetOf('StorageClass', '', name);
    const object = await existing(input.api, target);
    const classes = await input.api.list('storage.k8s.io', 'storageclasses', '');
    const waiting = (await input.api.list('', 'persistentvolumeclaims', '')).filter(
      ({ spec, status }) => status?.phase === 'Pending' && spec?.storageClassName === undefined && !spec?.volumeName,
    );
    const steps = [
      changeStep(target, object, `make StorageClass ${name} the default`, [
        [['metadata', 'annotations', DEFAULT], 'true'],
      ]),
    ];
    return {
      steps,
      guards: [
        await guard('no-default-now', 'no class is the default', () => {
          const other = classes.find(({ metadata }) => metadata.annotations?.[DEFAULT] === 'true');
          return other ? `${other.metadata.name} is the default` : true;
        }),
        await guard('one-suitable-class', 'one class can be meant', () => {
          const suitable = classes.filter(({ provisioner }) => provisioner !== 'kubernetes.io/no-provisioner');
          return (
            (suitable.length === 1 && suitable[0]!.metadata.name === name) ||
            `there are ${suitable.length} classes that make volumes`
          );
        }),
      ],
      riskText: `every claim without a class gets a volume of this class; now ${waiting.length === 0 ? 'none waits' : `these do: ${waiting.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(', ')}`}`,
      verify: { what: `${input.finding.rule} is healthy`, seconds: 120 },
      undo: { what: 'makes it the default no more; volumes that were made stay', steps: undoStepsOf(steps) },
    };
  },
};
