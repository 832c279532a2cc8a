import { RE2JS } from 're2js';
import type { Signature } from '../../model/rule.ts';
import { type Automaton, buildAutomaton } from './automaton.ts';
import { formsOf } from './line-forms.ts';
import { atLeastLevel, type Level } from './log-line.ts';

/** Signatures made ready to be searched for. Nothing is built before it is needed. */
export interface CompiledSignatures {
  readonly all: readonly Signature[];
  get(id: string): Signature | undefined;
  /** The search for what a component's log may hold; '' for a log of which nobody knows whose it is: all of them. */
  search(component: string): Search;
}

/** One pass over a log: the automaton finds the lines that are worth reading, `matching` reads them. */
export interface Search {
  readonly automaton: Automaton;
  /** The signatures of a line in which the automaton came to these states, in the order of their files. */
  matching(text: string, level: Level | '', states: readonly number[]): readonly Signature[];
  captured(signature: Signature, text: string): Readonly<Record<string, string>>;
}

export function compileSignatures(all: readonly Signature[]): CompiledSignatures {
  const byId = new Map(all.map(signature => [signature.id, signature]));
  const searches = new Map<string, Search>();
  const expressions = expressionCache();
  return {
    all,
    get: id => byId.get(id),
    search(component) {
      let search = searches.get(component);
      if (!search) {
        const wanted = all.filter(signature => component === '' || appliesTo(signature, component));
        search = openSearch(wanted, expressions);
        searches.set(component, search);
      }
      return search;
    },
  };
}

/** Components of Thanos carry its name in signatures, where `store` or `rule` alone would not say whose. */
export function isComponent(name: string, component: string): boolean {
  return name === component || name === `thanos-${component}`;
}

function appliesTo(signature: Signature, component: string): boolean {
  return signature.components.some(name => name === 'any' || isComponent(name, component));
}

/**
 * The literals of which one has to stand in every line that matches: the longest of `all`, else each of `any`. They are
 * what the automaton looks for, so they decide how fast a log is read.
 */
export function gatesOf({ match }: Pick<Signature, 'match'>): readonly string[] {
  if (match.all.length === 0) return match.any;
  return [match.all.reduce((longest, literal) => (literal.length > longest.length ? literal : longest))];
}

/** `uploaded=` of logfmt is `"uploaded":` where the same program logs JSON. */
function rawGates(signature: Signature): readonly string[] {
  return gatesOf(signature).flatMap(gate => (/^\w+=$/.test(gate) ? [gate, `"${gate.slice(0, -1)}":`] : [gate]));
}

type Expressions = (source: string) => RE2JS;

/** RE2 has no backtracking: a hostile line costs no more than a harmless one. */
function expressionCache(): Expressions {
  const compiled = new Map<string, RE2JS>();
  return source => {
    let expression = compiled.get(source);
    if (!expression) {
      expression = RE2JS.compile(source);
      compiled.set(source, expression);
    }
    return expression;
  };
}

function openSearch(signatures: readonly Signature[], expression: Expressions): Search {
  const behindGate = new Map<string, number[]>();
  for (const [place, signature] of signatures.entries()) {
    for (const gate of rawGates(signature)) behindGate.set(gate, [...(behindGate.get(gate) ?? []), place]);
  }
  const places = [...behindGate.values()];
  const automaton = buildAutomaton([...behindGate.keys()]);
  return {
    automaton,
    matching(text, level, states) {
      const candidates = new Set(states.flatMap(automaton.literalsAt).flatMap(literal => places[literal]!));
      const forms = formsOf(text);
      return [...candidates]
        .sort((one, other) => one - other)
        .map(place => signatures[place]!)
        .filter(signature => forms.some(form => matches(signature, form, level, expression)));
    },
    captured(signature, text) {
      const forms = formsOf(text);
      const entries = Object.entries(signature.captures).map(([name, source]) => {
        const pattern = expression(source);
        for (const form of forms) {
          const matcher = pattern.matcher(form);
          if (matcher.find()) return [name, matcher.group(name) ?? ''] as const;
        }
        return [name, ''] as const;
      });
      return Object.fromEntries(entries);
    },
  };
}

function matches(signature: Signature, text: string, level: Level | '', expression: Expressions): boolean {
  const { all, any, not, regex } = signature.match;
  return (
    all.every(literal => text.includes(literal)) &&
    (any.length === 0 || any.some(literal => text.includes(literal))) &&
    !not.some(literal => text.includes(literal)) &&
    atLeastLevel(level, signature.level) &&
    (regex === '' || expression(regex).matcher(text).find())
  );
}
