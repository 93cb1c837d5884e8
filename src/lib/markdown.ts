/** A code span that no text can end, whatever it holds; line breaks become blanks. */
export function codeSpan(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = longest > 0 || text === '' ? ' ' : '';
  return `${fence}${pad}${text.replaceAll(/[\r\n]+/g, ' ')}${pad}${fence}`;
}
