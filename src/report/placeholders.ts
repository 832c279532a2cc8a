import type { Rule, Template } from '../model/rule.ts';

const PATH = /^[a-zA-Z]\w*(?:\[\d+\])?(?:\.\w+(?:\[\d+\])?)*$/;
const LEADING_PATH = /^(?:\w+\()*([a-zA-Z]\w*(?:\[\d+\])?(?:\.[a-zA-Z]\w*(?![\w(])(?:\[\d+\])?)*)/;
/** A text for each of a list. */
const EACH = /\.map\(\w+, (".*)\)\.join\(/s;
/** A literal that stands for a value already: `POD`, `HOST:6443`. */
const STANDS_FOR = /^[A-Z][A-Z0-9:=-]*$/;
const PLAIN: Readonly<Record<string, string>> = { writeTo: 'RESOURCE', cluster: 'CLUSTER' };

/** A template of a rule as it reads before anything is known: a word in capitals in place of each value. */
export function templateText({ parts }: Template, rule: Rule): string {
  return parts.map(part => (typeof part === 'string' ? part : placeholder(part.text, rule))).join('');
}

/** What stands for the value of an expression: `POD` for `u.pod.name`, `NAMESPACE` for `size(p) > 0 ? p[0].namespace : "NAMESPACE"`. */
function placeholder(expression: string, rule: Rule): string {
  const text = expression.trim();
  if (PATH.test(text)) return ofPath(text, rule);
  const literal = literalIn(text);
  if (literal !== undefined) return literal.replaceAll('${cluster}', 'CLUSTER');
  const [, each] = EACH.exec(text) ?? [];
  if (each !== undefined) return placeholder(each, rule);
  const [, yes, no] = split(text, '?', ':');
  if (yes !== undefined && no !== undefined) return ofBranches(yes, no, rule);
  const sum = split(text, '+');
  if (sum.length > 1) return sum.map(part => placeholder(part, rule)).join('');
  const [, fallback] = /, "([^"]*)"\)$/.exec(text) ?? [];
  if (fallback !== undefined && STANDS_FOR.test(fallback)) return fallback;
  const [, path = 'value'] = LEADING_PATH.exec(text) ?? [];
  return ofPath(path, rule);
}

/** Of two values, the one that stands for the other already, or says more. */
function ofBranches(yes: string, no: string, rule: Rule): string {
  const [first, second] = [placeholder(yes, rule), placeholder(no, rule)];
  const standing = [no, yes].map(branch => literalIn(branch.trim()) ?? '').find(word => STANDS_FOR.test(word));
  if (standing) return standing;
  if (first === '' || second === '') return first || second;
  return literalIn(yes.trim()) === undefined || literalIn(no.trim()) === undefined ? first : `${first} | ${second}`;
}

function literalIn(text: string): string | undefined {
  return /^"((?:[^"\\]|\\.)*)"$/.exec(text)?.[1];
}

function ofPath(path: string, rule: Rule): string {
  const words = path.split('.').map(singular);
  const last = words.at(-1)!;
  if (PLAIN[last]) return PLAIN[last];
  const owner = words.at(-2) ?? '';
  // `secret.key` names an object; the key of a row itself is one in a Secret or ConfigMap.
  if (last !== 'name' && (last !== 'key' || words.length < 3)) return capitals(last);
  if (PLAIN[owner]) return PLAIN[owner];
  // A row of the list that the rule goes through is what its verdict is about.
  if (owner === 'subject' || (words.length === 2 && owner === rule.forEach?.name)) {
    const { parts } = rule.subject.kind;
    return capitals(parts.every(part => typeof part === 'string') ? parts.join('') : last);
  }
  return capitals(words.length > 2 ? owner : last);
}

/** One of a list is no longer several. */
function singular(word: string): string {
  const [, list] = /^(\w+)\[\d+\]$/.exec(word) ?? [];
  return list === undefined ? word : list.replace(/(?<=ss)es$|(?<!s)s$/, '');
}

/** `instanceManager` as INSTANCE-MANAGER. */
function capitals(word: string): string {
  return word.replace(/([a-z0-9])(?=[A-Z])/g, '$1-').toUpperCase();
}

/** Splits at separators, each once in their order (one alone at every place), outside quotes and brackets. */
function split(text: string, ...separators: readonly string[]): readonly string[] {
  const parts: string[] = [];
  let [depth, start, next] = [0, 0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!;
    if (character === '"') at = text.indexOf('"', at + 1) < 0 ? text.length : text.indexOf('"', at + 1);
    else if ('([{'.includes(character)) depth += 1;
    else if (')]}'.includes(character)) depth -= 1;
    else if (depth === 0 && character === separators[Math.min(next, separators.length - 1)]) {
      if (separators.length > 1 && next >= separators.length) break;
      parts.push(text.slice(start, at));
      start = at + 1;
      next += 1;
    }
  }
  return [...parts, text.slice(start)];
}
