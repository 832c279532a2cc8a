import { fetched } from '../collector.ts';

export const collector = fetched({
  id: 'fleet.expectations',
  about: 'What the fleet file states, so that a difference from it is knowledge.',
  scope: 'fleet',
  shape: {
    stated: 'bool',
    clusters: [{ name: 'str', role: 'str' }],
    clusterLabel: 'str',
    /** 0 where it is not stated. */
    queryStores: 'int',
    /** Seconds; 0 where it is not stated. */
    retention: { raw: 'int', fiveMinutes: 'int', oneHour: 'int' },
    localRetention: 'int',
    ignoredTargets: ['str'],
  },
  async collect({ expectations }) {
    const { stated, clusters, clusterLabel, queryStores, retention, localRetention, ignoredTargets } = expectations;
    return { stated, clusters, clusterLabel, queryStores, retention, localRetention, ignoredTargets };
  },
});
