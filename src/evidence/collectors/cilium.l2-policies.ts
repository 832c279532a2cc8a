import { listOf } from '../collector.ts';
import { CONDITIONS, conditionsOf } from '../conditions.ts';
import { LABEL_SELECTOR, labelSelector } from '../label-selectors.ts';
import { flag, list, text } from '../objects.ts';

const BAD: Readonly<Record<string, string>> = {
  'io.cilium/bad-service-selector': 'serviceSelector',
  'io.cilium/bad-node-selector': 'nodeSelector',
  'io.cilium/bad-interface-regex': 'interfaces',
};

export const collector = listOf({
  id: 'cilium.l2-policies',
  about: 'Policies by which Cilium answers ARP for the addresses of Services.',
  group: 'cilium.io',
  resource: 'ciliuml2announcementpolicies',
  kind: 'CiliumL2AnnouncementPolicy',
  fields: {
    serviceSelector: LABEL_SELECTOR,
    nodeSelector: LABEL_SELECTOR,
    interfaces: ['str'],
    loadBalancerIps: 'bool',
    externalIps: 'bool',
    conditions: CONDITIONS,
    /** A part of it is not valid: it announces nothing. */
    bad: 'bool',
    badWhy: 'str',
  },
  row({ spec, status }, context) {
    const conditions = conditionsOf(status?.conditions, context);
    const bad = conditions.find(one => one.type in BAD && one.status === 'True');
    return {
      serviceSelector: labelSelector(spec?.serviceSelector),
      nodeSelector: labelSelector(spec?.nodeSelector),
      interfaces: list(spec?.interfaces).map(text),
      loadBalancerIps: flag(spec?.loadBalancerIPs),
      externalIps: flag(spec?.externalIPs),
      conditions,
      bad: bad !== undefined,
      badWhy: bad ? `${BAD[bad.type]}: ${bad.message}` : '',
    };
  },
});
