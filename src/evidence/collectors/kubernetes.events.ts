import type { RawObject } from '../../model/source.ts';
import { fetched } from '../collector.ts';
import { gapElement, orGap } from '../gaps.ts';
import { checkParts } from '../object-parts.ts';
import { age, malformed, number, REF, ref, text } from '../objects.ts';

const COMBINED = '(combined from similar events): ';

export const collector = fetched({
  id: 'kubernetes.events',
  about: 'What happened lately. Events live for an hour: that there is none proves nothing.',
  needs: [{ verbs: ['list'], group: '', resource: 'events' }],
  shape: [
    {
      object: REF,
      /** Which part of the object, e.g. `spec.containers{name}`. */
      part: 'str',
      type: 'str',
      reason: 'str',
      message: 'str',
      count: 'int',
      first: 'time',
      last: 'time',
      lastAge: 'int',
      reporter: 'str',
    },
  ],
  async collect(context) {
    const take = (event: RawObject) => orGap(() => row(event, context));
    const answer = await context.source.list('', 'events', take);
    const rows = answer.items as ReturnType<typeof take>[];
    const unread = answer.unread.map(({ namespace, detail }) =>
      gapElement({
        evidence: 'kubernetes.events',
        reason: 'forbidden',
        detail: detail || `events of namespace ${namespace} could not be read`,
        path: answer.path,
        notLookedAt: false,
      }),
    );
    return [...rows, ...unread];
  },
});

function row(event: RawObject, now: { readonly takenAt: number }) {
  checkParts('Event', event);
  const object = event.involvedObject ?? event.regarding;
  if (!object) throw malformed('involvedObject is missing');
  const created = text(event?.metadata?.creationTimestamp);
  const times = [
    text(event?.series?.lastObservedTime),
    text(event?.lastTimestamp ?? event?.deprecatedLastTimestamp),
    text(event?.eventTime),
    created,
  ].filter(time => time !== '');
  const last = times.reduce((newest, time) => (Date.parse(time) > Date.parse(newest) ? time : newest), times[0] ?? '');
  const message = text(event?.message ?? event?.note);
  return {
    object: ref(text(object?.kind), text(object?.namespace), text(object?.name), text(object?.uid)),
    part: text(object?.fieldPath),
    type: text(event?.type),
    reason: text(event?.reason),
    message: message.startsWith(COMBINED) ? message.slice(COMBINED.length) : message,
    count: Math.max(1, number(event?.series?.count), number(event?.count ?? event?.deprecatedCount)),
    first: text(event?.firstTimestamp ?? event?.deprecatedFirstTimestamp) || text(event?.eventTime) || created,
    last,
    lastAge: age(now, last),
    reporter: text(event?.reportingComponent ?? event?.reportingController) || text(event?.source?.component),
  };
}
