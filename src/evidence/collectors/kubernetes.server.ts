import { fetched } from '../collector.ts';

export const collector = fetched({
  id: 'kubernetes.server',
  about: 'What the API server is, and when it answered.',
  core: true,
  needs: [
    { verbs: ['get'], group: '', resource: '/version' },
    { verbs: ['get'], group: '', resource: '/readyz' },
  ],
  shape: {
    /** Always true: a cluster that does not answer is a gap. */
    reachable: 'bool',
    version: 'str',
    minor: 'int',
    host: 'str',
    context: 'str',
    takenAt: 'time',
    ready: 'bool',
  },
  async collect(context) {
    const { version, minor, host, context: name, ready } = await context.source.server();
    return { reachable: true, version, minor, host, context: name, takenAt: context.source.takenAt(), ready };
  },
});
