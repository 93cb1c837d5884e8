import { distance } from 'fastest-levenshtein';
import type { Argument, Value } from './arguments.ts';
import { Arguments } from './arguments.ts';
import type { AutomationCondition } from './condition.ts';
import { childrenOf } from './condition.ts';
import type { ConditionProblem, Token } from './lexer.ts';
import { ConditionFault, tokenAt, unquoted } from './lexer.ts';
import { and, not, or } from './operators.ts';
import type { CronDefaults } from './vocabulary.ts';
import { applyOperator, OPERANDS, OPERATORS, operandOf } from './vocabulary.ts';

export type { ConditionProblem } from './lexer.ts';

export type ParsedCondition =
  | { readonly ok: true; readonly condition: AutomationCondition }
  | { readonly ok: false; readonly problem: ConditionProblem };

/** The longest condition that is read: nobody writes one by hand. */
const MOST_CHARACTERS = 10_000;
const DEEPEST = 50;
/** `replace` can multiply a condition. */
const MOST_PARTS = 1000;

const CACHE_SIZE = 1000;
const cache = new Map<string, ParsedCondition>();

/**
 * Reads a condition: names of operands and presets with or without parentheses, `&` before `|`, `~`, parentheses, and
 * operators after a dot. Python's own way of writing it (`dg.AutomationCondition.eager()`) is the same. Nothing is ever
 * executed; never throws. Equal texts give the same object.
 */
export function parseAutomationCondition(text: string, defaults: CronDefaults = {}): ParsedCondition {
  const id = JSON.stringify([text, defaults.cron, defaults.timezone]);
  const known = cache.get(id);
  if (known !== undefined) return known;
  const result = parse(text, defaults);
  if (cache.size >= CACHE_SIZE) cache.clear();
  cache.set(id, result);
  return result;
}

function parse(text: string, defaults: CronDefaults): ParsedCondition {
  if (text.length > MOST_CHARACTERS) {
    return { ok: false, problem: { index: 0, message: 'the condition is too long' } };
  }
  try {
    const parser = new Parser(text, defaults);
    const condition = parser.expression(0);
    parser.end();
    return { ok: true, condition };
  } catch (fault) {
    if (fault instanceof ConditionFault) return { ok: false, problem: fault.problem };
    throw fault;
  }
}

class Parser {
  readonly #text: string;
  readonly #defaults: CronDefaults;
  #next: Token;
  #offset = 0;
  /** How many `any_checks_match(` and `all_checks_match(` are open: only there a check is spoken of. */
  #ofChecks = 0;

  constructor(text: string, defaults: CronDefaults) {
    this.#text = text;
    this.#defaults = defaults;
    this.#next = this.#lex();
  }

  expression(depth: number): AutomationCondition {
    if (depth > DEEPEST) this.#fail('the condition is nested too deeply');
    const alternatives = [this.#conjunction(depth)];
    while (this.#take('|')) alternatives.push(this.#conjunction(depth));
    return or(...alternatives);
  }

  end(): void {
    if (this.#next.kind === 'end') return;
    if (this.#next.text === ')') this.#fail('a ")" closes nothing');
    this.#fail(`"${this.#next.text}" is not expected here`, 'join conditions with & (and) or | (or)');
  }

  #conjunction(depth: number): AutomationCondition {
    const operands = [this.#unary(depth)];
    while (this.#take('&')) operands.push(this.#unary(depth));
    return and(...operands);
  }

  #unary(depth: number): AutomationCondition {
    let negations = 0;
    while (this.#take('~')) negations += 1;
    if (negations > DEEPEST) this.#fail('the condition is nested too deeply');
    let condition = this.#primary(depth);
    for (let links = 0; this.#take('.'); links++) {
      if (links > DEEPEST) this.#fail('the condition is nested too deeply');
      condition = this.#operator(condition, depth);
    }
    for (; negations > 0; negations--) condition = not(condition);
    return condition;
  }

  #primary(depth: number): AutomationCondition {
    const open = this.#next.index;
    if (!this.#take('(')) return this.#operand(depth);
    const condition = this.expression(depth + 1);
    this.#close(open);
    return condition;
  }

  #operator(condition: AutomationCondition, depth: number): AutomationCondition {
    const { text, index } = this.#name();
    const operator = OPERATORS.find((one) => one === text);
    if (operator === undefined) {
      const hint = didYouMean(text, OPERATORS) ?? `known are ${OPERATORS.join(', ')}`;
      throw new ConditionFault(index, `".${text}" is not an operator`, hint);
    }
    const given = this.#arguments(depth);
    const result = applyOperator(condition, operator, { name: text, index, given, defaults: this.#defaults });
    if (partsOf(result, MOST_PARTS) > MOST_PARTS)
      throw new ConditionFault(index, 'the condition is too large');
    return result;
  }

  #operand(depth: number): AutomationCondition {
    let name = this.#name();
    while (name.text === 'dg' || name.text === 'AutomationCondition') {
      if (!this.#take('.')) break;
      name = this.#name();
    }
    const { text, index } = name;
    if (!OPERANDS.includes(text)) {
      throw new ConditionFault(index, `"${text}" is not an automation condition`, didYouMean(text, OPERANDS));
    }
    const ofChecks = text === 'any_checks_match' || text === 'all_checks_match';
    if ((text === 'check_passed' || text === 'check_failed') && this.#ofChecks === 0) {
      throw new ConditionFault(
        index,
        `"${text}" is true of a check, not of an asset`,
        `any_checks_match(${text}())`,
      );
    }
    if (ofChecks) this.#ofChecks += 1;
    const given = this.#arguments(depth);
    if (ofChecks) this.#ofChecks -= 1;
    return operandOf({ name: text, index, given, defaults: this.#defaults });
  }

  #arguments(depth: number): Argument[] {
    const open = this.#next.index;
    if (!this.#take('(')) return [];
    const given: Argument[] = [];
    while (!this.#is(')') && this.#next.kind !== 'end') {
      given.push(this.#argument(depth));
      if (!this.#take(',')) break;
    }
    this.#close(open);
    return given;
  }

  #argument(depth: number): Argument {
    if (depth > DEEPEST) this.#fail('the condition is nested too deeply');
    const keyword = /\s*[A-Za-z_]\w*\s*=/y;
    keyword.lastIndex = this.#next.index;
    let name: string | null = null;
    if (keyword.test(this.#text)) {
      name = this.#name().text;
      this.#take('=');
    }
    const { index } = this.#next;
    return { name, index, value: this.#value(depth) };
  }

  #value(depth: number): Value {
    const { kind, text } = this.#next;
    if (kind === 'number') {
      this.#advance();
      return { kind: 'number', number: Number(text) };
    }
    if (kind === 'string') {
      this.#advance();
      return { kind: 'text', text: unquoted(text) };
    }
    if (this.#take('[')) return this.#list();
    if (kind !== 'name') return { kind: 'condition', condition: this.expression(depth + 1) };
    switch (text) {
      case 'None':
      case 'null':
        this.#advance();
        return { kind: 'none' };
      case 'True':
      case 'true':
      case 'False':
      case 'false':
        this.#advance();
        return { kind: 'boolean', boolean: text.toLowerCase() === 'true' };
      case 'timedelta':
      case 'datetime':
        return this.#timedelta(depth);
      case 'AssetSelection':
        return this.#assetSelection(depth);
      default:
        return { kind: 'condition', condition: this.expression(depth + 1) };
    }
  }

  #list(): Value {
    const texts: string[] = [];
    while (!this.#is(']')) {
      const { kind, text } = this.#next;
      if (kind !== 'string') this.#fail(kind === 'end' ? 'a "]" is missing' : 'a list holds texts in quotes');
      this.#advance();
      texts.push(unquoted(text));
      if (!this.#take(',')) break;
    }
    if (!this.#take(']')) this.#fail('a "]" is missing');
    return { kind: 'list', texts };
  }

  /** `timedelta(days=2, hours=12)`. */
  #timedelta(depth: number): Value {
    let { text, index } = this.#name();
    if (text === 'datetime') {
      if (!this.#take('.')) this.#fail('needed is timedelta(…)');
      ({ text, index } = this.#name());
    }
    if (text !== 'timedelta')
      throw new ConditionFault(index, `"${text}" is not expected here`, 'timedelta(days=2)');
    let seconds = 0;
    for (const [position, { name, value, index: at }] of this.#arguments(depth + 1).entries()) {
      const size = TIMEDELTA[name ?? (position === 0 ? 'days' : '')];
      if (size === undefined || value.kind !== 'number') {
        throw new ConditionFault(at, 'this is no part of a timedelta', 'timedelta(days=2, hours=12)');
      }
      seconds += value.number * size;
    }
    return { kind: 'seconds', seconds };
  }

  /** `AssetSelection.assets("a", "b")`, `.keys(…)`, `.groups(…)`, `.all()`: as selections in our language. */
  #assetSelection(depth: number): Value {
    this.#name();
    if (!this.#take('.')) this.#fail('needed is AssetSelection.assets("…")');
    const { text, index } = this.#name();
    const given = this.#arguments(depth + 1);
    if (text === 'all') return { kind: 'list', texts: ['*'] };
    const prefix = { assets: '', keys: '', groups: 'group:' }[text];
    if (prefix === undefined) {
      const hint = 'AssetSelection.assets("…"), .groups("…"), or a selection in quotes';
      throw new ConditionFault(index, `"AssetSelection.${text}" is not known`, hint);
    }
    const texts = new Arguments(text, index, given, ['selection'], { rest: true }).texts('selection');
    return { kind: 'list', texts: texts.map((one) => prefix + one) };
  }

  #close(open: number): void {
    if (this.#take(')')) return;
    if (this.#next.kind !== 'end') this.#fail(`"${this.#next.text}" is not expected here`);
    throw new ConditionFault(open, 'this "(" is never closed');
  }

  #name(): Token {
    const token = this.#next;
    if (token.kind === 'end') this.#fail('the condition ends too early');
    if (token.kind !== 'name') {
      this.#fail(`"${token.text}" is not expected here`, 'a condition such as eager() is');
    }
    this.#advance();
    return token;
  }

  #is(sign: string): boolean {
    return this.#next.kind === 'sign' && this.#next.text === sign;
  }

  #take(sign: string): boolean {
    if (!this.#is(sign)) return false;
    this.#advance();
    return true;
  }

  #advance(): void {
    this.#next = this.#lex();
  }

  #lex(): Token {
    const token = tokenAt(this.#text, this.#offset);
    this.#offset = token.index + token.text.length;
    return token;
  }

  #fail(message: string, hint?: string): never {
    throw new ConditionFault(this.#next.index, message, hint);
  }
}

const TIMEDELTA: Readonly<Record<string, number>> = {
  weeks: 604_800,
  days: 86_400,
  hours: 3600,
  minutes: 60,
  seconds: 1,
};

/** The number of conditions in a tree; stops counting beyond `most`, as a tree can hold one part very often. */
function partsOf(condition: AutomationCondition, most: number): number {
  let parts = 1;
  for (const child of childrenOf(condition)) {
    if (parts > most) break;
    parts += partsOf(child, most - parts);
  }
  return parts;
}

/** The nearest known word within two edits (interfaces.md §3). */
function didYouMean(written: string, known: readonly string[]): string | undefined {
  const scored = known.map((word) => ({ word, edits: distance(written, word) }));
  scored.sort((a, b) => a.edits - b.edits);
  const [best] = scored;
  return best !== undefined && best.edits <= 2 ? `did you mean "${best.word}"?` : undefined;
}
