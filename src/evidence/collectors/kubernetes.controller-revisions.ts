import { listOf } from '../collector.ts';
import { number } from '../objects.ts';

export const collector = listOf({
  id: 'kubernetes.controller-revisions',
  about: 'Revisions of StatefulSets and DaemonSets: when a template was changed.',
  group: 'apps',
  resource: 'controllerrevisions',
  kind: 'ControllerRevision',
  fields: { revision: 'int' },
  row: ({ revision }) => ({ revision: number(revision) }),
});
