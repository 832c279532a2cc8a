import type { Action } from '../../model/remediation.ts';
import { rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { PROMETHEUS_ACCESS, prometheusResource, resourceDraft } from '../prometheus-resource.ts';
import { bytesOf, secondsOf } from '../quantities.ts';
import { Refusal } from '../refusal.ts';
import { nameOf } from '../targets.ts';

/** Three blocks of two hours. */
const LEAST = '6h';
const FULL = 0.7;

export const action: Action = {
  id: 'prometheus.lengthen-retention',
  title: 'keep local data longer',
  risk: 'change',
  parameters: { prometheus: 'needed' },
  access: PROMETHEUS_ACCESS,
  async plan(input) {
    const resource = await prometheusResource(input);
    const { target, object } = resource;
    const retention = input.wishes.retention || LEAST;
    const wanted = secondsOf(retention);
    const now = secondsOf(object.spec?.retention ?? '24h');
    if (wanted === undefined) throw new Refusal('retention', `${retention} is no duration`);
    if (now === undefined)
      throw new Refusal('retention', `the retention cannot be told from "${object.spec?.retention}"`);
    if (wanted <= now)
      throw new Refusal(
        'never-shorter',
        `it keeps ${object.spec?.retention ?? '24h'}, which is not shorter than ${retention}`,
      );
    // Prometheus' units are powers of 1024: 10GB is 10Gi.
    const written = object.spec?.retentionSize;
    const size = written && bytesOf(String(written).replace(/^([0-9.]+)([KMGTP])i?B$/, '$1$2i'));
    return resourceDraft(
      resource,
      `keep local data of Prometheus ${target.name} for ${retention}`,
      [[['spec', 'retention'], retention]],
      {
        guards: [
          await guard('claim-has-room', 'the claims have room for it', async () => {
            const set = `prometheus-${target.name}-`;
            const usage = (await rowsOf(input.evidence, 'storage.claim-usage')).filter(
              row => row.claim.namespace === target.namespace && row.claim.name.includes(set),
            );
            if (usage.length === 0) return 'how full its claims are is not known';
            for (const row of usage) {
              if (!row.measured || !(row.capacity > 0)) return `how full claim ${row.claim.name} is, is not known`;
              const then = ((row.capacity - row.available) * wanted) / now;
              if (then > row.capacity * FULL) return `claim ${row.claim.name} would be fuller than 70 %`;
              if (size !== undefined && then > size)
                return `retentionSize ${object.spec.retentionSize} drops it earlier`;
            }
            return true;
          }),
          await guard(
            'no-retention-size-fight',
            'what limits the size can be read',
            () => written === undefined || size !== undefined || `retentionSize ${written} cannot be read`,
          ),
        ],
        riskText: 'the pods restart one after another, and the volumes fill further than today',
        verify: {
          what: `${input.finding.rule} is healthy, and its pods run with it`,
          seconds: 900,
          signals: [{ is: 'prometheus-flag', prometheus: nameOf(target), flag: 'retention', seconds: wanted }],
        },
        undo: 'writes the old retention back: what is older is deleted then',
      },
    );
  },
};
