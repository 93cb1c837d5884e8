export interface AnsiSpan {
  readonly text: string;
  /** Class names of the style sheet; '' for plain text. */
  readonly className: string;
}

// oxlint-disable-next-line no-control-regex -- the escape character is what is looked for
const ESCAPE = /\u001b(?:\[([\d;:]*)([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
const BASE = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

/** Splits a line at its colour codes (ECMA-48 SGR); every other control sequence is dropped. Never HTML. */
export function ansiSpans(line: string): AnsiSpan[] {
  if (!line.includes('\u001b')) return [{ text: line, className: '' }];
  const spans: AnsiSpan[] = [];
  let style = { colour: '', bold: false, dim: false };
  let from = 0;
  const push = (to: number): void => {
    if (to <= from) return;
    const names = [
      style.colour && `ansi-${style.colour}`,
      style.bold && 'ansi-bold',
      style.dim && 'ansi-dim',
    ];
    spans.push({ text: line.slice(from, to), className: names.filter(Boolean).join(' ') });
  };
  for (const match of line.matchAll(ESCAPE)) {
    push(match.index);
    from = match.index + match[0].length;
    if (match[2] === 'm') style = applySgr(style, match[1] ?? '');
  }
  push(line.length);
  return spans;
}

export function stripAnsi(line: string): string {
  return line.includes('\u001b') ? line.replace(ESCAPE, '') : line;
}

function applySgr(style: { colour: string; bold: boolean; dim: boolean }, parameters: string) {
  const codes = parameters.split(/[;:]/).map(Number);
  let { colour, bold, dim } = style;
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === 0) [colour, bold, dim] = ['', false, false];
    else if (code === 1) bold = true;
    else if (code === 2) dim = true;
    else if (code === 22) [bold, dim] = [false, false];
    else if (code >= 30 && code <= 37) colour = BASE[code - 30] ?? '';
    else if (code >= 90 && code <= 97) colour = BASE[code - 90] ?? '';
    else if (code === 39) colour = '';
    else if (code === 38 || code === 48) {
      // 256 colours or RGB: the first 16 have names here, the rest is shown plain.
      const isForeground = code === 38;
      if (codes[index + 1] === 5) {
        const number = codes[index + 2] ?? 16;
        if (isForeground) colour = number < 16 ? (BASE[number % 8] ?? '') : '';
        index += 2;
      } else index += 4;
    }
  }
  return { colour, bold, dim };
}
