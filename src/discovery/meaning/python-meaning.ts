/** Words before a bracket that do not make it a call or a subscript. */
const KEYWORDS = new Set(
  'and as assert await case del elif else except for from if import in is lambda match not or raise return while with yield'.split(
    ' ',
  ),
);
const SEPARATOR = '\u0001';
const TAB = 8;
const WORD = /[\w\u0080-\uffff]+/y;
const STRING_PREFIX = /^(?:[rbuft]|rb|br|fr|rf|tr|rt)$/i;

interface Bracket {
  /** A call or a subscript: `f(a,)` is `f(a)`, `(a,)` is not `(a)`. */
  readonly follows: boolean;
  readonly open: string;
  commas: number;
}

/**
 * Python code as its tokens: comments, docstrings, blank lines, spaces, line breaks within brackets, the width of
 * indentations, commas before a closing bracket and the kind of plain quotes are left out, as a formatter changes them.
 * Equal results mean equal code. One pass, no tree: it runs over every file of every folder. Broken code gives a text too.
 */
export function pythonMeaning(code: string): string {
  return new Reader(code).read();
}

class Reader {
  readonly #code: string;
  readonly #lines: string[] = [];
  readonly #indents: number[] = [0];
  readonly #brackets: Bracket[] = [];
  #line: string[] = [];
  /** Whether the line is nothing but plain strings so far: documentation. */
  #onlyStrings = true;
  #level = 0;
  #at = 0;

  constructor(code: string) {
    this.#code = code.replaceAll('\r\n', '\n');
  }

  read(): string {
    const code = this.#code;
    let atLineStart = true;
    while (this.#at < code.length) {
      if (atLineStart && this.#brackets.length === 0) this.#indent();
      atLineStart = false;
      const character = code[this.#at];
      if (character === undefined) break;
      if (character === '\n') {
        this.#at += 1;
        atLineStart = true;
        if (this.#brackets.length === 0) this.#endLine();
      } else if (character === ' ' || character === '\t' || character === '\f') this.#at += 1;
      else if (character === '#') this.#at = lineEnd(code, this.#at);
      else if (character === '\\' && code[this.#at + 1] === '\n') this.#at += 2;
      else if (character === '"' || character === "'") this.#string('');
      else if (!this.#word()) this.#mark(character);
    }
    this.#endLine();
    return this.#lines.join('\n');
  }

  #indent(): void {
    let width = 0;
    let at = this.#at;
    for (; ; at++) {
      const character = this.#code[at];
      if (character === ' ') width += 1;
      else if (character === '\t') width += TAB - (width % TAB);
      else if (character !== '\f') break;
    }
    this.#at = at;
    const next = this.#code[at];
    if (next === undefined || next === '\n' || next === '#') return;
    while (width < this.#indents.at(-1)!) this.#indents.pop();
    if (width > this.#indents.at(-1)!) this.#indents.push(width);
    this.#level = this.#indents.length - 1;
  }

  #endLine(): void {
    if (this.#line.length > 0 && !this.#onlyStrings)
      this.#lines.push(`${this.#level}${SEPARATOR}${this.#line.join(SEPARATOR)}`);
    this.#line = [];
    this.#onlyStrings = true;
  }

  #word(): boolean {
    WORD.lastIndex = this.#at;
    const word = WORD.exec(this.#code)?.[0];
    if (word === undefined) return false;
    this.#at += word.length;
    const next = this.#code[this.#at];
    if ((next === '"' || next === "'") && STRING_PREFIX.test(word)) this.#string(word.toLowerCase());
    else this.#push(word);
    return true;
  }

  #string(prefix: string): void {
    const start = this.#at;
    this.#at = endOfString(this.#code, start, /[ft]/.test(prefix));
    const text = this.#code.slice(start, this.#at);
    const content = text.slice(1, -1);
    const isText = prefix === '' || prefix === 'u';
    const isPlain = isText && text.length > 1 && !/["'\\\n]/.test(content);
    this.#onlyStrings &&= isText || prefix === 'r';
    this.#line.push(isPlain ? `"${content}"` : prefix + text);
  }

  #mark(character: string): void {
    this.#at += 1;
    if (character === '(' || character === '[' || character === '{') {
      this.#brackets.push({ open: character, follows: this.#afterOperand(), commas: 0 });
    } else if (character === ')' || character === ']' || character === '}') {
      const bracket = this.#brackets.pop();
      if (bracket !== undefined && this.#line.at(-1) === ',' && isIdle(bracket)) this.#line.pop();
    } else if (character === ',') {
      const bracket = this.#brackets.at(-1);
      if (bracket !== undefined) bracket.commas += 1;
    }
    this.#push(character);
  }

  #afterOperand(): boolean {
    const before = this.#line.at(-1);
    if (before === undefined) return false;
    if (before === ')' || before === ']') return true;
    WORD.lastIndex = 0;
    return WORD.test(before) && !KEYWORDS.has(before);
  }

  #push(token: string): void {
    this.#onlyStrings = false;
    this.#line.push(token);
  }
}

/** Whether the comma before a closing bracket says nothing. */
function isIdle({ open, follows, commas }: Bracket): boolean {
  if (open === '{' || commas > 1) return true;
  return open === '(' ? follows : !follows;
}

/** Position after a string that begins with its quote; of a formatted one, strings within its braces are its own. */
function endOfString(code: string, start: number, formatted: boolean): number {
  const quote = code[start]!;
  const close = code.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
  let depth = 0;
  for (let at = start + close.length; at < code.length; ) {
    const character = code[at]!;
    if (character === '\\') at += 2;
    else if (depth === 0 && code.startsWith(close, at)) return at + close.length;
    // A quote that is not closed on its line is no string: broken code, or an apostrophe where none belongs.
    else if (close.length === 1 && character === '\n') return at;
    else if (!formatted) at += 1;
    else if (depth === 0 && (code.startsWith('{{', at) || code.startsWith('}}', at))) at += 2;
    else if (depth > 0 && (character === '"' || character === "'")) at = endOfPart(code, at, close);
    else {
      if (character === '{') depth += 1;
      else if (character === '}') depth = Math.max(0, depth - 1);
      at += 1;
    }
  }
  return code.length;
}

/** A string within the braces of a formatted one; older code ends the outer one there, which the newline tells. */
function endOfPart(code: string, start: number, outer: string): number {
  const end = endOfString(code, start, false);
  const crosses = outer.length === 1 && code.slice(start, end).includes('\n');
  return crosses ? start + 1 : end;
}

function lineEnd(code: string, at: number): number {
  const end = code.indexOf('\n', at);
  return end === -1 ? code.length : end;
}
