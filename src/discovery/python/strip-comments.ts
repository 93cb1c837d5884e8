/**
 * Python code without its comments, and without the lines that held nothing else. Text in quotes is left alone. One pass,
 * no tree: it runs over every file of every folder.
 */
export function stripPythonComments(code: string): string {
  const kept: string[] = [];
  let from = 0;
  let at = 0;
  while (at < code.length) {
    const character = code[at]!;
    if (character === '#') {
      const lineStart = code.lastIndexOf('\n', at - 1) + 1;
      const end = code.indexOf('\n', at);
      const alone = code.slice(Math.max(from, lineStart), at).trim() === '' && from <= lineStart;
      kept.push(alone ? code.slice(from, lineStart) : code.slice(from, at).trimEnd());
      at = end === -1 ? code.length : alone ? end + 1 : end;
      from = at;
    } else if (character === '"' || character === "'") at = endOfString(code, at, character);
    else at += 1;
  }
  kept.push(code.slice(from));
  return kept.join('');
}

function endOfString(code: string, start: number, quote: string): number {
  const triple = code.startsWith(quote.repeat(3), start);
  const close = triple ? quote.repeat(3) : quote;
  let at = start + close.length;
  while (at < code.length) {
    if (code[at] === '\\') at += 2;
    else if (code.startsWith(close, at)) return at + close.length;
    // A quote that is not closed on its line is no string: broken code, or an apostrophe where none belongs.
    else if (!triple && code[at] === '\n') return at;
    else at += 1;
  }
  return code.length;
}
