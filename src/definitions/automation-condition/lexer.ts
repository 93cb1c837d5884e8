/** Where a text is no condition. */
export interface ConditionProblem {
  /** Position in the text, from 0. */
  readonly index: number;
  readonly message: string;
  readonly hint?: string;
}

/** Thrown inside the parser only; `parseAutomationCondition` returns its problem. */
export class ConditionFault extends Error {
  readonly problem: ConditionProblem;

  constructor(index: number, message: string, hint?: string) {
    super(message);
    this.problem = { index, message, ...(hint === undefined ? {} : { hint }) };
  }
}

export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'sign' | 'end';
  /** Of a string: as written, quotes included. */
  readonly text: string;
  readonly index: number;
}

const TOKEN =
  /\s*(?:([A-Za-z_]\w*)|(-?\d+(?:\.\d+)?)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|([&|~().,=[\]]))/y;

/** The token at or after a position. Throws a `ConditionFault` where there is none. */
export function tokenAt(text: string, offset: number): Token {
  TOKEN.lastIndex = offset;
  const match = TOKEN.exec(text);
  if (match === null) {
    const rest = text.slice(offset);
    const index = offset + rest.length - rest.trimStart().length;
    if (rest.trim() === '') return { kind: 'end', text: '', index };
    if (/^\s*["']/.test(rest)) throw new ConditionFault(index, 'a quote is never closed');
    throw new ConditionFault(index, `"${text[index]}" is not expected here`);
  }
  const [whole, name, number, string] = match;
  const token = whole.trimStart();
  const kind =
    name !== undefined ? 'name' : number !== undefined ? 'number' : string !== undefined ? 'string' : 'sign';
  return { kind, text: token, index: offset + whole.length - token.length };
}

/** What a string token says: quotes off, `\"` and `\\` undone. */
export function unquoted(text: string): string {
  return text.slice(1, -1).replace(/\\(.)/gs, '$1');
}
