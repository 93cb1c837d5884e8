const SEPARATOR = '\u0001';
const SPACE = /\s+/y;
const WORD = /[\w$\u0080-\uffff]+/y;
const DOLLAR = /\$\w*\$/y;
/** Dollar quotes without an end that are looked for: each costs a look through the rest. */
const MOST_OPEN = 20;

/**
 * SQL with Jinja as its tokens: comments, spaces and line breaks are left out, quoted text is as it is. A comment with Jinja
 * in it counts (dbt renders it: `-- depends_on: {{ ref('x') }}`). One pass; what is not closed goes to the end.
 */
export function sqlMeaning(sql: string): string {
  const text = sql.replaceAll('\r\n', '\n');
  const tokens: string[] = [];
  let open = 0;
  for (let at = 0; at < text.length; ) {
    let end = after(SPACE, text, at);
    if (end > at) {
      // What Jinja gives may be part of a word: `{{ schema }}_old`.
      if (tokens.at(-1) === '}' || /\{[{%]/y.test(text.slice(end, end + 2))) tokens.push(' ');
      at = end;
      continue;
    }
    const character = text[at]!;
    const pair = text.slice(at, at + 2);
    if (pair === '{#') end = upTo(text, '#}', at);
    else if (pair === '/*') end = upTo(text, '*/', at);
    else if (pair === '--') end = endOfLine(text, at);
    else if (character === "'" || character === '"' || character === '`') end = endOfQuote(text, at);
    else if (character === '$' && open < MOST_OPEN && after(DOLLAR, text, at) > at) {
      const quote = text.slice(at, after(DOLLAR, text, at));
      const close = text.indexOf(quote, at + quote.length);
      if (close === -1) open += 1;
      end = close === -1 ? at + quote.length : close + quote.length;
    } else end = Math.max(at + 1, after(WORD, text, at));
    const token = text.slice(at, end);
    if (!isIdleComment(token)) tokens.push(token);
    at = end;
  }
  return tokens.join(SEPARATOR);
}

function isIdleComment(token: string): boolean {
  if (token.startsWith('{#')) return true;
  return (token.startsWith('--') || token.startsWith('/*')) && !/\{[{%]/.test(token);
}

/** Where a match at this very place ends; the place itself if there is none. */
function after(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function upTo(text: string, close: string, at: number): number {
  const found = text.indexOf(close, at + 2);
  return found === -1 ? text.length : found + close.length;
}

function endOfLine(text: string, at: number): number {
  const found = text.indexOf('\n', at);
  return found === -1 ? text.length : found;
}

/** A doubled quote is two strings side by side, which reads the same. */
function endOfQuote(text: string, start: number): number {
  const quote = text[start]!;
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\' && quote !== '`') at += 1;
    else if (text[at] === quote) return at + 1;
  }
  return text.length;
}
