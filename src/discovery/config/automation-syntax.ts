import { didYouMean } from './suggest.ts';

/** Operands and presets (semantics.md, Automation conditions). */
const OPERANDS = [
  'missing',
  'in_progress',
  'execution_failed',
  'newly_updated',
  'newly_requested',
  'will_be_requested',
  'code_version_changed',
  'cron_tick_passed',
  'in_latest_time_window',
  'initial_evaluation',
  'backfill_in_progress',
  'any_deps_match',
  'all_deps_match',
  'any_checks_match',
  'all_checks_match',
  'all_deps_blocking_checks_passed',
  'any_deps_updated',
  'any_deps_missing',
  'any_deps_in_progress',
  'all_deps_updated_since_cron',
  'any_downstream_conditions',
  'eager',
  'on_cron',
  'on_missing',
  'manual',
  'on_schedule',
  'missing_or_changed',
  'lazy',
  'lazy_on_cron',
  'eager_with_deps_checks',
] as const;

/** What can follow a condition after a dot. */
const OPERATORS = [
  'since',
  'since_last_handled',
  'newly_true',
  'without',
  'replace',
  'allow',
  'ignore',
  'with_label',
] as const;

/** The longest condition that is read: nobody writes one by hand. */
const MOST_CHARACTERS = 10_000;
const DEEPEST = 50;

export interface SyntaxProblem {
  /** Where in the text, from 0. */
  readonly index: number;
  readonly message: string;
  readonly hint?: string;
}

/**
 * Whether a text has the form of an automation condition: known names, calls, `&`, `|`, `~` and parentheses that close.
 * What arguments mean is the evaluator's to say. Python's own way of writing it (`dg.AutomationCondition.eager()`) is fine.
 */
export function checkAutomationSyntax(text: string): SyntaxProblem | null {
  if (text.length > MOST_CHARACTERS) return { index: 0, message: 'the condition is too long' };
  try {
    const parser = new ConditionParser(text);
    parser.expression(0);
    parser.end();
    return null;
  } catch (fault) {
    if (fault instanceof ConditionFault) return fault.problem;
    throw fault;
  }
}

class ConditionFault extends Error {
  readonly problem: SyntaxProblem;

  constructor(problem: SyntaxProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

const TOKEN =
  /\s*(?:([A-Za-z_]\w*)|(-?\d+(?:\.\d+)?)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|([&|~().,=[\]]))/y;

class ConditionParser {
  readonly #text: string;
  #next: { kind: 'name' | 'number' | 'string' | 'sign' | 'end'; text: string; index: number };
  #offset = 0;

  constructor(text: string) {
    this.#text = text;
    this.#next = this.#lex();
  }

  expression(depth: number): void {
    if (depth > DEEPEST) this.#fail('the condition is nested too deeply');
    this.#unary(depth);
    while (this.#take('&') || this.#take('|')) this.#unary(depth);
  }

  end(): void {
    if (this.#next.kind === 'end') return;
    if (this.#next.text === ')') this.#fail('a ")" closes nothing');
    this.#fail(`"${this.#next.text}" is not expected here`, 'join conditions with & (and) or | (or)');
  }

  #unary(depth: number): void {
    while (this.#take('~'));
    const open = this.#next.index;
    if (this.#take('(')) {
      this.expression(depth + 1);
      this.#close(open);
    } else {
      this.#operand(depth);
    }
    while (this.#take('.')) {
      const { text, index } = this.#name();
      if (!OPERATORS.some((one) => one === text)) {
        const hint = didYouMean(text, OPERATORS) ?? `known are ${OPERATORS.join(', ')}`;
        throw new ConditionFault({ index, message: `".${text}" is not an operator`, hint });
      }
      this.#call(depth);
    }
  }

  #operand(depth: number): void {
    let name = this.#name();
    while (name.text === 'dg' || name.text === 'AutomationCondition') {
      if (!this.#take('.')) break;
      name = this.#name();
    }
    if (!OPERANDS.some((one) => one === name.text)) {
      const hint = didYouMean(name.text, OPERANDS);
      const message = `"${name.text}" is not an automation condition`;
      throw new ConditionFault({ index: name.index, message, ...(hint === undefined ? {} : { hint }) });
    }
    this.#call(depth);
  }

  #call(depth: number): void {
    const open = this.#next.index;
    if (!this.#take('(')) return;
    while (!this.#is(')') && this.#next.kind !== 'end') {
      this.#argument(depth);
      if (!this.#take(',')) break;
    }
    this.#close(open);
  }

  #argument(depth: number): void {
    if (depth > DEEPEST) this.#fail('the condition is nested too deeply');
    const keyword = /\s*[A-Za-z_]\w*\s*=/y;
    keyword.lastIndex = this.#next.index;
    if (keyword.test(this.#text)) {
      this.#name();
      this.#take('=');
    }
    const { kind, text } = this.#next;
    if (kind === 'number' || kind === 'string') {
      this.#advance();
    } else if (this.#take('[')) {
      while (!this.#is(']')) {
        this.#argument(depth + 1);
        if (!this.#take(',')) break;
      }
      if (!this.#take(']')) this.#fail('a "]" is missing');
    } else if (kind === 'name' && ['None', 'True', 'False', 'true', 'false', 'null'].includes(text)) {
      this.#advance();
    } else if (kind === 'name' && (text === 'timedelta' || text === 'datetime')) {
      this.#advance();
      if (this.#take('.')) this.#name();
      this.#call(depth + 1);
    } else {
      this.expression(depth + 1);
    }
  }

  #close(open: number): void {
    if (this.#take(')')) return;
    if (this.#next.kind !== 'end') this.#fail(`"${this.#next.text}" is not expected here`);
    throw new ConditionFault({ index: open, message: 'this "(" is never closed' });
  }

  #name(): { text: string; index: number } {
    const { kind, text, index } = this.#next;
    if (kind === 'end') this.#fail('the condition ends too early');
    if (kind !== 'name') this.#fail(`"${text}" is not expected here`, 'a condition such as eager() is');
    this.#advance();
    return { text, index };
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

  #lex(): { kind: 'name' | 'number' | 'string' | 'sign' | 'end'; text: string; index: number } {
    TOKEN.lastIndex = this.#offset;
    const match = TOKEN.exec(this.#text);
    if (match === null) {
      const rest = this.#text.slice(this.#offset);
      const index = this.#offset + rest.length - rest.trimStart().length;
      if (rest.trim() === '') return { kind: 'end', text: '', index };
      const message = /^\s*["']/.test(rest)
        ? 'a quote is never closed'
        : `"${this.#text[index]}" is not expected here`;
      throw new ConditionFault({ index, message });
    }
    this.#offset = TOKEN.lastIndex;
    const [, name, number, string, sign] = match;
    const text = name ?? number ?? string ?? sign ?? '';
    const kind =
      name !== undefined
        ? 'name'
        : number !== undefined
          ? 'number'
          : string !== undefined
            ? 'string'
            : 'sign';
    return { kind, text, index: this.#offset - text.length };
  }

  #fail(message: string, hint?: string): never {
    throw new ConditionFault({ index: this.#next.index, message, ...(hint === undefined ? {} : { hint }) });
  }
}
