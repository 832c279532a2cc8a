import type { ShapeOf } from '../../model/shape.ts';
import { type Context, listOf } from '../collector.ts';
import { known, mapKnown, withUnknownFields } from '../gaps.ts';
import { age, number, text } from '../objects.ts';

/** Seconds. Kubelets and leaders renew theirs many times in a minute. */
const NOBODY_RENEWS = 120;

const listed = listOf({
  id: 'kubernetes.leases',
  about: 'Who holds a lease, and whether it is renewed.',
  group: 'coordination.k8s.io',
  resource: 'leases',
  kind: 'Lease',
  fields: {
    holder: 'str',
    duration: 'int',
    renewed: 'time',
    renewedAge: 'int',
    transitions: 'int',
    /** Not renewed for more than twice its duration. */
    stale: 'bool',
  },
  row({ spec }, context) {
    const duration = number(spec?.leaseDurationSeconds);
    const renewed = text(spec?.renewTime);
    const renewedAge = age(context, renewed);
    return {
      holder: text(spec?.holderIdentity),
      duration,
      renewed,
      renewedAge,
      transitions: number(spec?.leaseTransitions),
      stale: renewedAge > 2 * duration,
    };
  },
});

type Lease = ShapeOf<typeof listed.shape>[number];

/** How long ago, by the API server's clock, of a lease that was renewed by another; neither tells of all being late. */
const CLOCK = ['renewedAge', 'stale'] as const;

export const collector = {
  ...listed,
  async collect(context: Context): Promise<readonly Lease[]> {
    const rows = await listed.collect(context);
    const ages = known(rows).flatMap(lease => (lease.renewedAge >= 0 ? [lease.renewedAge] : []));
    const newest = Math.min(...ages);
    if (ages.length < 2 || newest <= NOBODY_RENEWS) return rows;
    const detail = `no lease was renewed for ${newest} s: nothing renews any more, or the clock of the API server is ahead of those of the nodes`;
    const gap = { evidence: listed.id, reason: 'malformed', detail, path: '', notLookedAt: false } as const;
    return mapKnown(rows, lease => withUnknownFields(lease, gap, CLOCK));
  },
};
