import type { Action } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { guard } from '../guards.ts';
import { Refusal } from '../refusal.ts';
import { changeStep, existing } from '../steps.ts';
import { nameOf, targetOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

export const action: Action = {
  id: 'kubernetes.set-ingress-class',
  title: 'name the ingress class',
  risk: 'change',
  parameters: { ingress: 'needed' },
  access: [
    { verbs: ['get', 'list', 'patch'], group: 'networking.k8s.io', resource: 'ingresses' },
    { verbs: ['list'], group: 'networking.k8s.io', resource: 'ingressclasses' },
    { verbs: ['get'], group: '', resource: 'services' },
  ],
  async plan(input) {
    const target = targetOfKey(input.parameters.ingress);
    const object = await existing(input.api, target);
    const classes = await input.api.list('networking.k8s.io', 'ingressclasses', '');
    if (classes.length !== 1)
      throw new Refusal('one-class', `there are ${classes.length} ingress classes: which is meant, you have to say`);
    const name: string = classes[0]!.metadata.name;
    const steps = [
      changeStep(target, object, `have ${nameOf(target)} served by class ${name}`, [
        [['spec', 'ingressClassName'], name],
      ]),
    ];
    const rules: readonly RawObject[] = object.spec?.rules ?? [];
    return {
      steps,
      guards: [
        await guard(
          'no-legacy-annotation',
          'no annotation names a class',
          () =>
            object.metadata.annotations?.['kubernetes.io/ingress.class'] === undefined ||
            'it names its class in an annotation',
        ),
        await guard('backends-exist', 'its Services exist', async () => {
          for (const path of rules.flatMap(rule => rule.http?.paths ?? [])) {
            const service = path.backend?.service?.name;
            if (service && !(await input.api.get(targetOf('Service', target.namespace, service))))
              return `Service ${service} does not exist`;
          }
          return true;
        }),
        await guard('host-not-taken', 'no other Ingress has its hosts', async () => {
          const hosts = new Set(rules.map(rule => rule.host ?? ''));
          const others = await input.api.list('networking.k8s.io', 'ingresses', '');
          const other = others.find(
            ({ metadata, spec }) =>
              metadata.uid !== object.metadata.uid &&
              spec?.ingressClassName === name &&
              (spec?.rules ?? []).some((rule: RawObject) => hosts.has(rule.host ?? '')),
          );
          return other ? `Ingress ${other.metadata.namespace}/${other.metadata.name} has such a host` : true;
        }),
      ],
      riskText: 'it is served from now on',
      verify: { what: `${input.finding.rule} is healthy`, seconds: 60 },
      undo: { what: 'takes the class away', steps: undoStepsOf(steps) },
    };
  },
};
