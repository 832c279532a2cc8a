import { listOf } from '../collector.ts';
import { list, text } from '../objects.ts';

export const collector = listOf({
  id: 'kubernetes.service-accounts',
  about: 'Service accounts, by name only.',
  group: '',
  resource: 'serviceaccounts',
  kind: 'ServiceAccount',
  fields: { imagePullSecrets: ['str'] },
  row: ({ imagePullSecrets }) => ({ imagePullSecrets: list(imagePullSecrets).map(secret => text(secret?.name)) }),
});
