import type { ShapeOf } from '../../model/shape.ts';
import { fetched } from '../collector.ts';
import { askEach, type Part, replicasOf } from '../components/replicas.ts';
import { age, list, number, REF, strings, text } from '../objects.ts';

const SHAPE = [
  {
    evaluator: REF,
    pod: REF,
    /** The container runs. What one that does not would have said is unknown. */
    running: 'bool',
    /** prometheus or rule */
    component: 'str',
    groups: [
      {
        name: 'str',
        file: 'str',
        /** uid of the PrometheusRule that the operator wrote the file from; '' for another file. */
        uid: 'str',
        interval: 'float',
        /** Seconds that the last evaluation took. */
        took: 'float',
        lastEvaluation: 'time',
        /** -1 before the first. */
        lastAge: 'int',
      },
    ],
    rules: [
      {
        name: 'str',
        /** alerting or recording */
        type: 'str',
        group: 'str',
        file: 'str',
        uid: 'str',
        /** ok, err or unknown */
        health: 'str',
        error: 'str',
        expr: 'str',
        /** inactive, pending or firing; '' for a recording rule */
        state: 'str',
        labels: 'map',
        lastAge: 'int',
        interval: 'float',
      },
    ],
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];

/** The operator names a rule file `<namespace>-<name>-<uid>.yaml`. */
function uidOf(file: string): string {
  return /-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.ya?ml/.exec(file)?.[1] ?? '';
}

/** Go's zero time stands for "never". */
function evaluated(raw: unknown): string {
  const time = text(raw);
  return time.startsWith('0001-') ? '' : time;
}

export const collector = fetched({
  id: 'prometheus.rules',
  about: 'The rules that each Prometheus and Thanos Ruler has loaded, and how each evaluation went.',
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const part: Part<Row> = {
      fields: ['groups', 'rules'],
      async read(asker) {
        const raw = list((await asker.api('/api/v1/rules')).groups);
        const groups = raw.map(group => ({
          name: text(group?.name),
          file: text(group?.file),
          uid: uidOf(text(group?.file)),
          interval: number(group?.interval),
          took: number(group?.evaluationTime),
          lastEvaluation: evaluated(group?.lastEvaluation),
          lastAge: age(context, evaluated(group?.lastEvaluation)),
        }));
        const rules = raw.flatMap((group, at) =>
          list(group?.rules).map(rule => ({
            name: text(rule?.name),
            type: text(rule?.type),
            group: groups[at]!.name,
            file: groups[at]!.file,
            uid: groups[at]!.uid,
            health: text(rule?.health),
            error: text(rule?.lastError),
            expr: text(rule?.query),
            state: text(rule?.state),
            labels: strings(rule?.labels),
            lastAge: age(context, evaluated(rule?.lastEvaluation)),
            interval: groups[at]!.interval,
          })),
        );
        return { groups, rules };
      },
    };
    return askEach<Row>(
      context,
      { id: 'prometheus.rules', core: false },
      await replicasOf(context, ['prometheus', 'rule']),
      replica => ({
        evaluator: replica.subject,
        pod: replica.pod,
        running: replica.running,
        component: replica.component,
      }),
      [part],
    );
  },
});
