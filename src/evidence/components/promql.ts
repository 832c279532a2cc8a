/**
 * A small reader of PromQL: enough to know which series an expression asks for, and whether it can give anything
 * without them. It knows operators with their precedence, calls, aggregations, selectors, ranges, subqueries and
 * modifiers; it does not check types, functions' names or the number of their arguments.
 */

/** One vector selector of an expression. */
export interface Selector {
  /** '' where the name is given by no matcher, or by a pattern. */
  readonly metric: string;
  readonly matchers: readonly Matcher[];
  /** Without any series of it, the whole expression gives nothing. */
  readonly needed: boolean;
  /** It stands inside absent() or absent_over_time(). */
  readonly inAbsent: boolean;
}

export interface Matcher {
  readonly label: string;
  /** =, !=, =~ or !~ */
  readonly op: string;
  readonly value: string;
}

export type Node =
  | { readonly is: 'selector'; readonly metric: string; readonly matchers: readonly Matcher[] }
  | { readonly is: 'number'; readonly value: number }
  | { readonly is: 'string' }
  | { readonly is: 'call'; readonly name: string; readonly arguments: readonly Node[] }
  | { readonly is: 'binary'; readonly op: string; readonly left: Node; readonly right: Node };

/** Parses an expression; undefined for a text that is none (or was cut off). */
export function parsePromql(text: string): Node | undefined {
  try {
    const parser = new Parser(tokensOf(text));
    const node = parser.expression(0);
    return parser.atEnd() ? node : undefined;
  } catch (error) {
    if (error instanceof NotPromql) return undefined;
    throw error;
  }
}

/** Every selector of an expression. */
export function selectorsOf(node: Node, needed = true, inAbsent = false): readonly Selector[] {
  switch (node.is) {
    case 'selector':
      return [{ metric: node.metric, matchers: node.matchers, needed: needed && !inAbsent, inAbsent }];
    case 'number':
    case 'string':
      return [];
    case 'call': {
      const absent = node.name === 'absent' || node.name === 'absent_over_time';
      // scalar() makes NaN of nothing: a number, if not one that is of use.
      const goesOn = needed && !absent && node.name !== 'scalar';
      return node.arguments.flatMap(argument => selectorsOf(argument, goesOn, inAbsent || absent));
    }
    case 'binary': {
      const left = needed && node.op !== 'or';
      const right = needed && node.op !== 'or' && node.op !== 'unless';
      return [...selectorsOf(node.left, left, inAbsent), ...selectorsOf(node.right, right, inAbsent)];
    }
  }
}

/** True of `vector(1)`: an expression that is always true. */
export function isConstant(node: Node): boolean {
  return node.is === 'call' && node.name === 'vector' && node.arguments[0]?.is === 'number';
}

/** The selector of an expression that is `metric == 0` or `metric < 1` as a whole. */
export function comparedWithNothing(node: Node): Extract<Node, { is: 'selector' }> | undefined {
  if (node.is !== 'binary' || node.left.is !== 'selector' || node.right.is !== 'number') return undefined;
  const { op, right } = node;
  return (op === '==' && right.value === 0) || (op === '<' && right.value === 1) ? node.left : undefined;
}

class NotPromql extends Error {}

type Token =
  | { readonly is: 'word'; readonly text: string }
  | { readonly is: 'number'; readonly value: number }
  | { readonly is: 'duration' }
  | { readonly is: 'string'; readonly text: string }
  | { readonly is: 'sign'; readonly text: string };

const WORD = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const DURATION = /^(?:[0-9]+(?:ms|[smhdwy]))+(?![a-zA-Z0-9_])/;
const NUMBER = /^(?:0[xX][0-9a-fA-F]+|(?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)/;
const SIGN = /^(?:=~|!~|!=|==|<=|>=|[-+*/%^<>=(){}[\],:@])/;

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let rest = text; rest !== ''; ) {
    const space = /^(?:\s+|#[^\n]*)/.exec(rest)?.[0];
    if (space !== undefined) {
      rest = rest.slice(space.length);
      continue;
    }
    const [token, length] = nextToken(rest);
    tokens.push(token);
    rest = rest.slice(length);
  }
  return tokens;
}

function nextToken(rest: string): readonly [Token, number] {
  const quoted = quotedText(rest);
  if (quoted) return [{ is: 'string', text: quoted.text }, quoted.length];
  const duration = DURATION.exec(rest)?.[0];
  if (duration !== undefined) return [{ is: 'duration' }, duration.length];
  const number = NUMBER.exec(rest)?.[0];
  if (number !== undefined) return [{ is: 'number', value: Number(number.replaceAll('_', '')) }, number.length];
  const word = WORD.exec(rest)?.[0];
  if (word !== undefined) return [{ is: 'word', text: word }, word.length];
  const sign = SIGN.exec(rest)?.[0];
  if (sign !== undefined) return [{ is: 'sign', text: sign }, sign.length];
  throw new NotPromql();
}

/** A string in double or single quotes with escapes, or in backquotes as it stands. */
function quotedText(rest: string): { readonly text: string; readonly length: number } | undefined {
  const quote = rest[0];
  if (quote !== '"' && quote !== "'" && quote !== '`') return undefined;
  let text = '';
  for (let at = 1; at < rest.length; at++) {
    const character = rest[at]!;
    if (character === quote) return { text, length: at + 1 };
    if (character === '\\' && quote !== '`') {
      at++;
      const escaped = rest[at] ?? '';
      text += escaped === 'n' ? '\n' : escaped === 't' ? '\t' : escaped;
    } else {
      text += character;
    }
  }
  throw new NotPromql();
}

/** Precedence of binary operators; `^` binds to the right. */
const PRECEDENCE: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<=': 3,
  '<': 3,
  '>=': 3,
  '>': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': 6,
};

const AGGREGATIONS: ReadonlySet<string> = new Set([
  'sum',
  'avg',
  'min',
  'max',
  'count',
  'stddev',
  'stdvar',
  'group',
  'count_values',
  'topk',
  'bottomk',
  'quantile',
  'limitk',
  'limit_ratio',
]);

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  atEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  expression(lowest: number): Node {
    let left = this.#unary();
    for (;;) {
      const op = this.#operator();
      const precedence = op === undefined ? 0 : PRECEDENCE[op]!;
      if (op === undefined || precedence < lowest || precedence === 0) return left;
      this.#at++;
      this.#matchingModifiers();
      const right = this.expression(op === '^' ? precedence : precedence + 1);
      left = { is: 'binary', op, left, right };
    }
  }

  #operator(): string | undefined {
    const token = this.#tokens[this.#at];
    if (token?.is === 'sign' && token.text in PRECEDENCE) return token.text;
    if (token?.is === 'word' && Object.hasOwn(PRECEDENCE, token.text.toLowerCase())) return token.text.toLowerCase();
    return undefined;
  }

  /** `bool`, `on (…)`, `ignoring (…)`, `group_left (…)`, `group_right (…)`. */
  #matchingModifiers(): void {
    if (this.#word('bool')) this.#at++;
    for (const name of ['on', 'ignoring', 'group_left', 'group_right']) {
      if (!this.#word(name)) continue;
      this.#at++;
      if (this.#sign('(')) this.#labels();
    }
  }

  #unary(): Node {
    if (this.#sign('-') || this.#sign('+')) {
      const negative = this.#sign('-');
      this.#at++;
      // A sign binds more loosely than a power, and more tightly than everything else.
      const operand = this.expression(PRECEDENCE['^']!);
      return operand.is === 'number' && negative ? { is: 'number', value: -operand.value } : operand;
    }
    return this.#modified(this.#primary());
  }

  #primary(): Node {
    const token = this.#tokens[this.#at];
    if (!token) throw new NotPromql();
    if (token.is === 'number') {
      this.#at++;
      return { is: 'number', value: token.value };
    }
    if (token.is === 'duration') {
      this.#at++;
      return { is: 'number', value: Number.NaN };
    }
    if (token.is === 'string') {
      this.#at++;
      return { is: 'string' };
    }
    if (token.is === 'sign' && token.text === '(') {
      this.#at++;
      const inner = this.expression(0);
      this.#expect(')');
      return inner;
    }
    if (token.is === 'sign' && token.text === '{') return this.#selector('');
    if (token.is === 'word') return this.#named(token.text);
    throw new NotPromql();
  }

  #named(name: string): Node {
    this.#at++;
    if (/^(?:inf|nan)$/i.test(name) && !this.#sign('{')) {
      return { is: 'number', value: name.toLowerCase() === 'inf' ? Number.POSITIVE_INFINITY : Number.NaN };
    }
    const lower = name.toLowerCase();
    if (AGGREGATIONS.has(lower) && !this.#sign('{') && (this.#sign('(') || this.#word('by') || this.#word('without'))) {
      this.#grouping();
      const parameters = this.#arguments();
      this.#grouping();
      return { is: 'call', name: lower, arguments: parameters };
    }
    if (this.#sign('(')) return { is: 'call', name: lower, arguments: this.#arguments() };
    return this.#selector(name);
  }

  #grouping(): void {
    if (!this.#word('by') && !this.#word('without')) return;
    this.#at++;
    this.#labels();
  }

  #arguments(): readonly Node[] {
    this.#expect('(');
    const nodes: Node[] = [];
    while (!this.#sign(')')) {
      nodes.push(this.expression(0));
      if (!this.#sign(',')) break;
      this.#at++;
    }
    this.#expect(')');
    return nodes;
  }

  #selector(name: string): Node {
    const matchers: Matcher[] = [];
    let metric = name;
    if (this.#sign('{')) {
      this.#at++;
      while (!this.#sign('}')) {
        const label = this.#tokens[this.#at++];
        if (label?.is !== 'word' && label?.is !== 'string') throw new NotPromql();
        const op = this.#tokens[this.#at];
        if (label.is === 'string' && (this.#sign(',') || this.#sign('}'))) {
          // A quoted name on its own is the metric's.
          metric = label.text;
        } else {
          if (op?.is !== 'sign' || !['=', '!=', '=~', '!~'].includes(op.text)) throw new NotPromql();
          const value = this.#tokens[this.#at + 1];
          if (value?.is !== 'string') throw new NotPromql();
          this.#at += 2;
          if (label.text === '__name__' && op.text === '=') metric = value.text;
          else matchers.push({ label: label.text, op: op.text, value: value.text });
        }
        if (this.#sign(',')) this.#at++;
      }
      this.#expect('}');
    } else if (metric === '') {
      throw new NotPromql();
    }
    return { is: 'selector', metric, matchers };
  }

  /** A range, a subquery, `offset` and `@` after an operand. */
  #modified(node: Node): Node {
    for (;;) {
      if (this.#sign('[')) {
        while (!this.#sign(']')) {
          if (this.atEnd()) throw new NotPromql();
          this.#at++;
        }
        this.#at++;
      } else if (this.#word('offset')) {
        this.#at++;
        if (this.#sign('-') || this.#sign('+')) this.#at++;
        this.#at++;
      } else if (this.#sign('@')) {
        this.#at++;
        if (this.#sign('-') || this.#sign('+')) this.#at++;
        const token = this.#tokens[this.#at++];
        if (token?.is === 'word') this.#arguments();
      } else {
        return node;
      }
    }
  }

  #labels(): void {
    this.#expect('(');
    while (!this.#sign(')')) {
      const token = this.#tokens[this.#at];
      if (token?.is !== 'word' && token?.is !== 'string' && !this.#sign(',')) throw new NotPromql();
      this.#at++;
    }
    this.#at++;
  }

  #sign(text: string): boolean {
    const token = this.#tokens[this.#at];
    return token?.is === 'sign' && token.text === text;
  }

  #word(text: string): boolean {
    const token = this.#tokens[this.#at];
    return token?.is === 'word' && token.text.toLowerCase() === text;
  }

  #expect(text: string): void {
    if (!this.#sign(text)) throw new NotPromql();
    this.#at++;
  }
}
