import type { RawObject } from '../model/source.ts';
import { list, strings, text } from './objects.ts';
import { type SelectorExpression, selectsLabels } from './selectors.ts';

/** A label selector as evidence writes it. `set` is false where the field is absent, which its user has to interpret. */
export const LABEL_SELECTOR = {
  set: 'bool',
  labels: 'map',
  expressions: [{ key: 'str', operator: 'str', values: ['str'] }],
} as const;

export interface LabelSelector {
  readonly set: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly expressions: readonly SelectorExpression[];
}

export function labelSelector(raw: RawObject): LabelSelector {
  return {
    set: raw !== undefined && raw !== null,
    labels: strings(raw?.matchLabels),
    expressions: list(raw?.matchExpressions).map(one => ({
      key: text(one?.key),
      operator: text(one?.operator),
      values: list(one?.values).map(text),
    })),
  };
}

/** What the labels lack, one requirement a line, with what they have instead; [] means selected. */
export function unmet(selector: LabelSelector, labels: Readonly<Record<string, string>>): readonly string[] {
  const ofLabels = Object.entries(selector.labels)
    .filter(([key, value]) => labels[key] !== value)
    .map(([key, value]) => `${key}=${value} (it has ${said(labels[key])})`);
  const ofExpressions = selector.expressions
    .filter(one => !selectsLabels({}, [one], labels))
    .map(one => {
      const values = one.values.length > 0 ? ` [${one.values.join(', ')}]` : '';
      return `${one.key} ${one.operator}${values} (it has ${said(labels[one.key])})`;
    });
  return [...ofLabels, ...ofExpressions];
}

function said(value: string | undefined): string {
  return value === undefined ? 'no such label' : `"${value}"`;
}
