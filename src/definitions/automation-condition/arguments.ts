import type { AutomationCondition } from './condition.ts';
import { ConditionFault } from './lexer.ts';

/** An argument as written. A list holds texts: nothing else is ever listed. */
export type Value =
  | { readonly kind: 'condition'; readonly condition: AutomationCondition }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'boolean'; readonly boolean: boolean }
  | { readonly kind: 'list'; readonly texts: readonly string[] }
  | { readonly kind: 'seconds'; readonly seconds: number }
  | { readonly kind: 'none' };

export interface Argument {
  readonly name: string | null;
  readonly value: Value;
  readonly index: number;
}

const WORDS: Readonly<Record<Value['kind'], string>> = {
  condition: 'a condition',
  text: 'a text in quotes',
  number: 'a number',
  boolean: 'True or False',
  list: 'a list',
  seconds: 'a duration',
  none: 'None',
};

/** The arguments of one call, taken by name or position; what nobody took is an error. */
export class Arguments {
  readonly #call: string;
  readonly #index: number;
  readonly #parameters: readonly string[];
  readonly #given: ReadonlyMap<string, Argument>;
  readonly #rest: readonly Argument[];

  /** `parameters`: the names in order. `rest`: more arguments than names may be given (`allow("a", "b")`). */
  constructor(
    call: string,
    index: number,
    given: readonly Argument[],
    parameters: readonly string[],
    options: { readonly rest?: boolean } = {},
  ) {
    this.#call = call;
    this.#index = index;
    this.#parameters = parameters;
    const taken = new Map<string, Argument>();
    const rest: Argument[] = [];
    for (const [position, argument] of given.entries()) {
      const name = argument.name ?? parameters[position];
      if (name === undefined && options.rest === true) rest.push(argument);
      else if (name === undefined) throw this.#unexpected(argument, 'too many arguments');
      else if (!parameters.includes(name)) throw this.#unexpected(argument, `no argument "${name}"`);
      else if (taken.has(name)) throw this.#unexpected(argument, `"${name}" is given twice`);
      else taken.set(name, argument);
    }
    this.#given = taken;
    this.#rest = rest;
  }

  condition(name: string): AutomationCondition {
    const { value, index } = this.#required(name, 'a condition such as missing()');
    if (value.kind !== 'condition') throw this.#wrong(name, value, index, 'a condition such as missing()');
    return value.condition;
  }

  text(name: string): string | undefined {
    const argument = this.#optional(name);
    if (argument === undefined) return undefined;
    if (argument.value.kind !== 'text') throw this.#wrong(name, argument.value, argument.index, WORDS.text);
    return argument.value.text;
  }

  requiredText(name: string): string {
    this.#required(name, WORDS.text);
    return this.text(name) as string;
  }

  /** A condition, or the label of one. */
  conditionOrText(name: string): AutomationCondition | string {
    const { value, index } = this.#required(name, 'a condition or its label');
    if (value.kind === 'condition') return value.condition;
    if (value.kind === 'text') return value.text;
    throw this.#wrong(name, value, index, 'a condition or its label');
  }

  boolean(name: string): boolean | undefined {
    const argument = this.#optional(name);
    if (argument === undefined) return undefined;
    if (argument.value.kind !== 'boolean')
      throw this.#wrong(name, argument.value, argument.index, WORDS.boolean);
    return argument.value.boolean;
  }

  /** Seconds above 0: a number, `timedelta(days=2)`, or a text such as `36h`. */
  seconds(name: string): number | undefined {
    const argument = this.#optional(name);
    if (argument === undefined) return undefined;
    const seconds = secondsOf(argument.value);
    if (seconds === null || seconds <= 0) {
      throw this.#wrong(
        name,
        argument.value,
        argument.index,
        'a duration: "36h", timedelta(days=2) or seconds',
      );
    }
    return seconds;
  }

  /** Asset keys or selections, listed or one by one; at least one. */
  texts(name: string): readonly string[] {
    const first = this.#required(name, 'asset keys in quotes');
    const texts = [first, ...this.#rest].flatMap(({ value, index }) => {
      if (value.kind === 'text') return [value.text];
      if (value.kind === 'list') return value.texts;
      throw this.#wrong(name, value, index, 'asset keys in quotes');
    });
    if (texts.length === 0) throw new ConditionFault(first.index, `${this.#call} names no asset`);
    return texts;
  }

  /** Where an argument stands; where the call does if it is absent. */
  indexOf(name: string): number {
    return this.#given.get(name)?.index ?? this.#index;
  }

  #optional(name: string): Argument | undefined {
    const argument = this.#given.get(name);
    return argument?.value.kind === 'none' ? undefined : argument;
  }

  #required(name: string, what: string): Argument {
    const argument = this.#given.get(name);
    if (argument === undefined) throw new ConditionFault(this.#index, `"${this.#call}" needs ${what}`);
    return argument;
  }

  #wrong(name: string, value: Value, index: number, wanted: string): ConditionFault {
    return new ConditionFault(
      index,
      `"${name}" of "${this.#call}" is ${WORDS[value.kind]}; needed is ${wanted}`,
    );
  }

  #unexpected(argument: Argument, what: string): ConditionFault {
    const hint = this.#parameters.length === 0 ? 'it takes none' : `it takes ${this.#parameters.join(', ')}`;
    return new ConditionFault(argument.index, `"${this.#call}": ${what}`, hint);
  }
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
};

function secondsOf(value: Value): number | null {
  if (value.kind === 'seconds') return value.seconds;
  if (value.kind === 'number') return value.number;
  if (value.kind !== 'text') return null;
  const match = /^(\d+(?:\.\d+)?)\s*([smhdw])$/.exec(value.text.trim());
  return match === null ? null : Number(match[1]) * (UNITS[match[2] as string] as number);
}
