import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as statusCollector } from '../collectors/alertmanager.status.ts';
import { satisfies } from '../components/dead-alerts.ts';
import type { Matcher } from '../components/promql.ts';
import { mapKnown } from '../gaps.ts';
import { REF } from '../objects.ts';

const SHAPE = [
  {
    alertmanager: REF,
    pod: REF,
    /** Receivers that could tell somebody. */
    telling: ['str'],
    /** Receivers that a critical alert of an ordinary name reaches. */
    reached: ['str'],
    /** One of these can tell somebody. */
    tellsSomebody: 'bool',
  },
] as const;

type Status = ShapeOf<typeof statusCollector.shape>[number];
type Route = Status['routes'][number];

/** A name that no route can mean. */
const ORDINARY = 'thanos-doctor-asks-for-an-ordinary-alert';

export const collector = derived({
  id: 'alertmanager.routing',
  about:
    'Where a critical alert of an ordinary name ends in each Alertmanager: the tree of routes, walked as it walks it.',
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const rows = await context.get(statusCollector);
    return mapKnown(rows, row => {
      const telling = row.receivers.filter(receiver => receiver.kinds.length > 0).map(receiver => receiver.name);
      const alert = { alertname: ORDINARY, severity: 'critical', namespace: row.alertmanager.namespace };
      const reached = [...new Set(walk(row.routes, '', alert))];
      const tellsSomebody = reached.some(name => telling.includes(name));
      return { alertmanager: row.alertmanager, pod: row.pod, telling, reached, tellsSomebody };
    });
  },
});

/** The first child that matches takes the alert, unless it goes on; a route whose children do not match keeps it. */
function walk(routes: readonly Route[], path: string, alert: Readonly<Record<string, string>>): readonly string[] {
  const reached: string[] = [];
  for (const child of routes.filter(route => parentOf(route) === path)) {
    if (!child.matchers.every(matcher => matches(matcher, alert))) continue;
    reached.push(...walk(routes, child.path, alert));
    if (!child.continue) break;
  }
  if (reached.length > 0) return reached;
  return routes.filter(route => route.path === path).map(route => route.receiver);
}

function parentOf(route: Route): string | undefined {
  if (route.path === '') return undefined;
  const dot = route.path.lastIndexOf('.');
  return dot === -1 ? '' : route.path.slice(0, dot);
}

/** A matcher as Alertmanager writes it: `name="value"`, `name!=value`, `name=~"pattern"`. One that cannot be read matches. */
function matches(text: string, alert: Readonly<Record<string, string>>): boolean {
  const found = /^\s*"?([^"=!~\s]+)"?\s*(=~|!~|!=|=)\s*"?(.*?)"?\s*$/s.exec(text);
  if (!found) return true;
  const matcher: Matcher = { label: found[1]!, op: found[2]!, value: found[3]! };
  return satisfies(alert[matcher.label] ?? '', matcher);
}
