/** Files of lines with `#` comments (requirements, TOML): without comments, blank lines and spaces around a line. */
export function linesMeaning(text: string): string {
  // Lines of a long string are its content.
  if (/"""|'''/.test(text)) return text;
  return text
    .split(/\r?\n/)
    .map((line) => withoutComment(line).trim())
    .filter((line) => line !== '')
    .join('\n');
}

/** A `#` in quotes or within a word (`git+https://host/x#egg=y`) begins no comment. */
function withoutComment(line: string): string {
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (quote !== '') {
      if (character === '\\' && quote === '"') at += 1;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '#' && (at === 0 || /\s/.test(line[at - 1]!))) return line.slice(0, at);
  }
  return line;
}
