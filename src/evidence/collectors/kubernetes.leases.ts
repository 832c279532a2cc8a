import { listOf } from '../collector.ts';
import { age, number, text } from '../objects.ts';

export const collector = listOf({
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
