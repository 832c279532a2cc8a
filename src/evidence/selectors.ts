/** One requirement of a label selector. */
export interface SelectorExpression {
  readonly key: string;
  /** In, NotIn, Exists or DoesNotExist */
  readonly operator: string;
  readonly values: readonly string[];
}

/** Whether a label selector selects labels. An empty selector selects everything. */
export function selectsLabels(
  matchLabels: Readonly<Record<string, string>>,
  expressions: readonly SelectorExpression[],
  labels: Readonly<Record<string, string>>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    expressions.every(expression => holds(expression, labels[expression.key]))
  );
}

function holds({ operator, values }: SelectorExpression, value: string | undefined): boolean {
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  const isIn = value !== undefined && values.includes(value);
  return operator === 'NotIn' ? !isIn : isIn;
}
