import type { ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { flag, list, number, strings, text, textOrNumber } from '../objects.ts';
import { bytes, millicores, seconds } from '../quantities.ts';

/** A label selector with its expressions. `nil`: the field is absent, which for the operator selects nothing. */
export const SELECTOR = {
  nil: 'bool',
  labels: 'map',
  expressions: [{ key: 'str', operator: 'str', values: ['str'] }],
} as const;

/** What a custom resource selects of one kind: objects by their labels, in namespaces by theirs. */
export const SELECTION = {
  ...SELECTOR,
  /** Only the resource's own namespace. */
  namespaceNil: 'bool',
  namespaceLabels: 'map',
  namespaceExpressions: [{ key: 'str', operator: 'str', values: ['str'] }],
} as const;

export type Selector = ShapeOf<typeof SELECTOR>;
export type Selection = ShapeOf<typeof SELECTION>;

export function selectorOf(raw: RawObject): Selector {
  return {
    nil: raw === undefined || raw === null,
    labels: strings(raw?.matchLabels),
    expressions: list(raw?.matchExpressions).map(expression => ({
      key: text(expression?.key),
      operator: text(expression?.operator),
      values: list(expression?.values).map(text),
    })),
  };
}

export function selectionOf(spec: RawObject, prefix: string): Selection {
  const namespaces = selectorOf(spec?.[`${prefix}NamespaceSelector`]);
  return {
    ...selectorOf(spec?.[`${prefix}Selector`]),
    namespaceNil: namespaces.nil,
    namespaceLabels: namespaces.labels,
    namespaceExpressions: namespaces.expressions,
  };
}

/** One thing that a selector asks for; `operator` is `=` or one of `In NotIn Exists DoesNotExist`. */
export interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

export function requirementsOf(selector: Pick<Selector, 'labels' | 'expressions'>): readonly Requirement[] {
  return [
    ...Object.entries(selector.labels).map(([key, value]) => ({ key, operator: '=', values: [value] })),
    ...selector.expressions,
  ];
}

/** Whether labels meet a requirement, by the rules of Kubernetes' label selectors. */
export function meets(labels: Readonly<Record<string, string>>, requirement: Requirement): boolean {
  const { key, operator, values } = requirement;
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case '=':
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

/** The requirements that labels do not meet; empty means selected. An empty selector selects everything. */
export function unmet(
  labels: Readonly<Record<string, string>>,
  selector: Pick<Selector, 'labels' | 'expressions'>,
): readonly Requirement[] {
  return requirementsOf(selector).filter(requirement => !meets(labels, requirement));
}

export const STORAGE = {
  /** A claim is made from a template. */
  template: 'bool',
  emptyDir: 'bool',
  name: 'str',
  class: 'str',
  /** bytes */
  size: 'int',
} as const;

export function storageOf(raw: RawObject): ShapeOf<typeof STORAGE> {
  const template = raw?.volumeClaimTemplate;
  const stated = template !== undefined && template !== null;
  return {
    template: stated,
    // Without a template and without `ephemeral` the operator makes an emptyDir.
    emptyDir: !stated && !raw?.ephemeral,
    name: text(template?.metadata?.name),
    class: text(template?.spec?.storageClassName),
    size: bytes(template?.spec?.resources?.requests?.storage),
  };
}

const AMOUNT = { cpu: 'int', memory: 'int' } as const;

/** Millicores and bytes; 0 where nothing is stated. */
export const RESOURCES = { requests: AMOUNT, limits: AMOUNT } as const;

export function resourcesOf(raw: RawObject): ShapeOf<typeof RESOURCES> {
  const amount = (stated: RawObject) => ({ cpu: millicores(stated?.cpu), memory: bytes(stated?.memory) });
  return { requests: amount(raw?.requests), limits: amount(raw?.limits) };
}

/** What the operator says of a resource. `available` may be `Degraded`: it is a word, not a boolean. */
export const STATUS = {
  /** True, False, Degraded, Unknown or '' */
  available: 'str',
  availableReason: 'str',
  availableMessage: 'str',
  /** True, False, Unknown or '' */
  reconciled: 'str',
  reconciledReason: 'str',
  reconciledMessage: 'str',
  reconciledSince: 'time',
  generation: 'int',
  /** The lowest of the conditions; -1 where the operator has not said anything yet. */
  observedGeneration: 'int',
  /** status.paused: the operator has seen the pause. */
  statusPaused: 'bool',
} as const;

export function statusOf(object: RawObject): ShapeOf<typeof STATUS> {
  const conditions = list(object.status?.conditions);
  const available = conditions.find(condition => text(condition?.type) === 'Available');
  const reconciled = conditions.find(condition => text(condition?.type) === 'Reconciled');
  const observed = conditions.map(condition => number(condition?.observedGeneration, -1));
  return {
    available: text(available?.status),
    availableReason: text(available?.reason),
    availableMessage: text(available?.message),
    reconciled: text(reconciled?.status),
    reconciledReason: text(reconciled?.reason),
    reconciledMessage: text(reconciled?.message),
    reconciledSince: text(reconciled?.lastTransitionTime),
    generation: number(object.metadata?.generation),
    observedGeneration: observed.length === 0 ? -1 : Math.min(...observed),
    statusPaused: flag(object.status?.paused),
  };
}

/** Arguments as `{name, value}` lists of the operator's API. */
export const ARGUMENTS = [{ name: 'str', value: 'str' }] as const;

export function argumentsOf(raw: RawObject): ShapeOf<typeof ARGUMENTS> {
  return list(raw).map(argument => ({ name: text(argument?.name), value: textOrNumber(argument?.value) }));
}

/** A duration field of the operator's API in whole seconds; 0 where it is absent. */
export function wholeSeconds(value: unknown): number {
  return Math.round(seconds(text(value)));
}

/** Bytes of a size as Prometheus writes it: `10GB` and `10GiB` are both powers of 1024. */
export function prometheusSize(value: string): number {
  if (value === '' || value === '0') return 0;
  const match = /^([0-9.]+)([KMGTPE]?)i?B$/.exec(value);
  if (!match) return 0;
  const power = match[2] ? 'KMGTPE'.indexOf(match[2]) + 1 : 0;
  return Math.round(Number(match[1]) * 1024 ** power);
}
