import { fetched } from '../collector.ts';

export const collector = fetched({
  id: 'kubernetes.discovery',
  about: 'Which kinds the cluster serves, and in which versions.',
  core: true,
  needs: [
    { verbs: ['get'], group: '', resource: '/api' },
    { verbs: ['get'], group: '', resource: '/apis' },
  ],
  shape: {
    resources: [{ group: 'str', version: 'str', kind: 'str', plural: 'str', namespaced: 'bool', verbs: ['str'] }],
    /** Group versions that could not be read: their kinds are not known to be absent. */
    unreadable: [{ group: 'str', version: 'str', error: 'str' }],
  },
  async collect(context) {
    const { resources, unreadable } = await context.source.discovery();
    return {
      resources: resources
        .filter(({ resource }) => !resource.includes('/'))
        .map(({ group, version, kind, resource, namespaced, verbs }) => ({
          group,
          version,
          kind,
          plural: resource,
          namespaced,
          verbs,
        })),
      unreadable,
    };
  },
});
