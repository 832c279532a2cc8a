import type { ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { type Context, fetched } from '../collector.ts';
import { collector as backendsCollector } from '../derived/kubernetes.service-backends.ts';
import { gapOf, gapped, orGap } from '../gaps.ts';
import { checkParts } from '../object-parts.ts';
import { list, NOBODY, number, OBJECT_FIELDS, objectFields, REF, ref, text } from '../objects.ts';

const ROW = {
  ...OBJECT_FIELDS,
  /** ValidatingWebhookConfiguration or MutatingWebhookConfiguration; `key` names it. */
  kind: 'str',
  /** Name of the webhook in it. */
  webhook: 'str',
  service: REF,
  port: 'int',
  url: 'str',
  failurePolicy: 'str',
  timeout: 'int',
  caEmpty: 'bool',
  serviceExists: 'bool',
  hasBackends: 'bool',
  resources: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;

const KINDS = [
  { resource: 'validatingwebhookconfigurations', kind: 'ValidatingWebhookConfiguration' },
  { resource: 'mutatingwebhookconfigurations', kind: 'MutatingWebhookConfiguration' },
] as const;

export const collector = fetched({
  id: 'kubernetes.webhooks',
  about: 'Admission webhooks, one row each, with the Service they call.',
  needs: KINDS.map(({ resource }) => ({ verbs: ['list'], group: 'admissionregistration.k8s.io', resource })),
  shape: [ROW],
  async collect(context) {
    const rows: Row[] = [];
    for (const { resource, kind } of KINDS) {
      const answer = await context.source.list('admissionregistration.k8s.io', resource);
      for (const item of answer.items) {
        checkParts(kind, item);
        for (const webhook of list(item?.webhooks)) rows.push(await rowOf(kind, item, webhook, context));
      }
    }
    return rows;
  },
});

async function rowOf(kind: string, item: RawObject, webhook: RawObject, context: Context): Promise<Row> {
  const { service, url, caBundle } = webhook?.clientConfig ?? {};
  const backends = service ? await gapped(context.get(backendsCollector)) : [];
  const unread = gapOf(backends);
  const target = service ? ref('Service', text(service.namespace), text(service.name)) : NOBODY;
  const found = unread ? undefined : backends.find(one => !gapOf(one) && one.service.key === target.key);
  return orGap(() => {
    if (unread) return backends as never;
    const row: Row = {
      ...objectFields(kind, item, context),
      kind,
      webhook: text(webhook?.name),
      service: found?.service ?? target,
      port: service ? number(service.port, 443) : 0,
      url: text(url),
      failurePolicy: text(webhook?.failurePolicy) || 'Fail',
      timeout: number(webhook?.timeoutSeconds, 10),
      caEmpty: text(caBundle) === '',
      serviceExists: found !== undefined,
      hasBackends: found !== undefined && found.ready > 0,
      resources: list(webhook?.rules).flatMap(rule => list(rule?.resources).map(text)),
    };
    return row;
  });
}
