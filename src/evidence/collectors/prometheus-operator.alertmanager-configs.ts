import type { RawObject } from '../../model/source.ts';
import { listOf } from '../collector.ts';
import { REJECTION, rejectionOf } from '../components/rejections.ts';
import { list, text } from '../objects.ts';

/** Kinds of integrations that a receiver has, by the names of its `…Configs` lists: `slack`, `webhook`. */
function integrations(receiver: RawObject): readonly string[] {
  return Object.entries(receiver ?? {})
    .filter(([key, value]) => key.endsWith('Configs') && list(value).length > 0)
    .map(([key]) => key.slice(0, -'Configs'.length));
}

export const collector = listOf({
  id: 'prometheus-operator.alertmanager-configs',
  about: 'AlertmanagerConfigs: receivers by name and the top of their routes. No value of a receiver is kept.',
  group: 'monitoring.coreos.com',
  resource: 'alertmanagerconfigs',
  kind: 'AlertmanagerConfig',
  fields: {
    receivers: [{ name: 'str', kinds: ['str'] }],
    routeReceiver: 'str',
    matchers: ['str'],
    ...REJECTION,
  },
  row(object) {
    const spec = object.spec;
    return {
      receivers: list(spec?.receivers).map(receiver => ({ name: text(receiver?.name), kinds: integrations(receiver) })),
      routeReceiver: text(spec?.route?.receiver),
      matchers: list(spec?.route?.matchers).map(
        matcher => `${text(matcher?.name)}${text(matcher?.matchType) || '='}${text(matcher?.value)}`,
      ),
      ...rejectionOf(object),
    };
  },
});
