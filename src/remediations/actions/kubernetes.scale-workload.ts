import type { Action, Step } from '../../model/remediation.ts';
import { guard } from '../guards.ts';
import { changeStep, existing, rolledOut, startSeconds } from '../steps.ts';
import { nameOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

const MOST = 5;

export const action: Action = {
  id: 'kubernetes.scale-workload',
  title: 'scale up from zero',
  risk: 'restart',
  parameters: { workload: 'needed', replicas: 'optional' },
  access: [
    { verbs: ['get', 'patch'], group: 'apps', resource: 'deployments/scale' },
    { verbs: ['get', 'patch'], group: 'apps', resource: 'statefulsets/scale' },
    { verbs: ['get', 'list'], group: 'apps', resource: 'deployments' },
    { verbs: ['get', 'list'], group: 'apps', resource: 'statefulsets' },
    { verbs: ['list'], group: 'autoscaling', resource: 'horizontalpodautoscalers' },
  ],
  async plan(input) {
    const whole = targetOfKey(input.parameters.workload);
    const target = { ...whole, subresource: 'scale' as const };
    const object = await existing(input.api, whole);
    const scale = await existing(input.api, target);
    // One is what every component starts with; more is for whoever knows the load.
    const replicas = Math.min(MOST, Math.max(1, Number(input.parameters.replicas ?? 1) || 1));
    const change = changeStep(target, scale, `scale ${nameOf(whole)} to ${replicas}`, [
      [['spec', 'replicas'], replicas],
    ]);
    const steps: readonly Step[] = [change, rolledOut(whole, startSeconds(object))];
    const words = (object.spec?.template?.spec?.containers ?? []).flatMap(
      (container: { args?: string[]; command?: string[] }) => [...(container.command ?? []), ...(container.args ?? [])],
    );
    return {
      steps,
      guards: [
        await guard(
          'zero-now',
          'it has no replica',
          () => (object.spec?.replicas ?? 1) === 0 || `it has ${object.spec.replicas ?? 1} replicas`,
        ),
        await guard('not-paused-on-purpose', 'nothing says that it is meant so', () => {
          const { annotations = {}, labels = {} } = object.metadata;
          const marker = Object.keys({ ...annotations, ...labels }).find(name =>
            /paus|hibernat|downscaler|maintenance|keda/i.test(name),
          );
          return marker ? `it carries ${marker}` : true;
        }),
        await guard('no-second-compactor', 'no other Compactor runs', async () => {
          if (!words.includes('compact')) return true;
          const others = [
            ...(await input.api.list('apps', 'deployments', '')),
            ...(await input.api.list('apps', 'statefulsets', '')),
          ].filter(
            other =>
              other.metadata.uid !== object.metadata.uid &&
              (other.spec?.replicas ?? 1) > 0 &&
              (other.spec?.template?.spec?.containers ?? []).some((container: { args?: string[] }) =>
                (container.args ?? []).includes('compact'),
              ),
          );
          return others.length === 0 || `${others[0]!.metadata.name} compacts already`;
        }),
        await guard('not-autoscaled', 'no autoscaler decides on it', async () => {
          const scalers = await input.api.list('autoscaling', 'horizontalpodautoscalers', whole.namespace);
          const scaler = scalers.find(
            ({ spec }) => spec?.scaleTargetRef?.kind === whole.kind && spec.scaleTargetRef.name === whole.name,
          );
          return scaler ? `HorizontalPodAutoscaler ${scaler.metadata.name} decides` : true;
        }),
      ],
      riskText: 'it starts',
      verify: { what: `${input.finding.rule} is healthy`, seconds: 300 },
      undo: { what: 'scales it to zero again', steps: undoStepsOf([change]) },
      mends: true,
    };
  },
};
