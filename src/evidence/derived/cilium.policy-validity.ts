import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as policiesCollector } from '../collectors/cilium.network-policies.ts';
import { gapped, mapKnown } from '../gaps.ts';
import { lazily } from '../lazily.ts';
import { REF, ref } from '../objects.ts';
import { collector as configCollector } from './cilium.config.ts';

const ROW = {
  policy: REF,
  /** Cilium's operator refuses it, and nothing of it is enforced. Not known while the operator does not run, which says so. */
  refused: 'bool',
  /** Seconds; -1 where that is not said. */
  refusedFor: 'int',
  since: 'time',
  message: 'str',
  /** What it was to allow or deny: `ingress`, `egressDeny`, … */
  sections: ['str'],
  selects: [REF],
} as const;

type Row = ShapeOf<typeof ROW>;

export const collector = derived({
  id: 'cilium.policy-validity',
  about: 'Network policies of Cilium, and whether its operator takes them for valid.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const policies = await context.get(policiesCollector);
    if (policies.length === 0) return [];
    const config = await gapped(context.get(configCollector));
    return mapKnown(policies, policy =>
      lazily<Row>(
        {
          policy: ref(policy.kind, policy.namespace, policy.name, policy.uid),
          refusedFor: policy.validAge,
          since: policy.validSince,
          message: policy.validMessage,
          sections: [...new Set(policy.specs.flatMap(spec => Object.keys(spec ?? {})))].filter(isSection).sort(),
        },
        {
          refused: () => {
            if (config.operatorReady && !config.operatorLeaseStale) return policy.valid === 'False';
            throw new GapSignal({
              evidence: 'cilium.network-policies',
              reason: 'not-found',
              detail: `the operator of Cilium, which says whether ${policy.key} is valid, does not run`,
            });
          },
          selects: () => policy.selects,
        },
      ),
    );
  },
});

function isSection(word: string): boolean {
  return word.startsWith('ingress') || word.startsWith('egress');
}
