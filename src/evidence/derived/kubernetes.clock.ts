import { derived } from '../collector.ts';
import { collector as leasesCollector } from '../collectors/kubernetes.leases.ts';
import { gapOf, mapKnown } from '../gaps.ts';

/** A lease that was renewed later than this after the moment of reading was written by a fast clock (seconds). */
const AHEAD = 5;

export const collector = derived({
  id: 'kubernetes.clock',
  about: 'How far the clocks of nodes are ahead of the moment of reading, by the leases of their kubelets.',
  shape: [
    {
      node: 'str',
      lastSeen: 'time',
      lastSeenAge: 'int',
      /** Seconds ahead; 0 where it cannot be told: a clock that lags looks like a lease that was not renewed. */
      skew: 'int',
      judged: 'bool',
    },
  ],
  async collect(context) {
    const leases = await context.get(leasesCollector);
    const ofNodes = leases.filter(lease => gapOf(lease) !== undefined || lease.namespace === 'kube-node-lease');
    return mapKnown(ofNodes, lease => {
      const ahead = lease.renewed ? Math.round((Date.parse(lease.renewed) - context.takenAt) / 1000) : 0;
      return {
        node: lease.name,
        lastSeen: lease.renewed,
        lastSeenAge: lease.renewedAge,
        skew: ahead > AHEAD ? ahead : 0,
        judged: ahead > AHEAD,
      };
    });
  },
});
