export type Paint = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue';

const CODES: Readonly<Record<Paint, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
};

/** Colours where they are wanted; without them the text says the same. */
export function painter(color: boolean): (paint: Paint, text: string) => string {
  return (paint, text) => {
    if (!color || text === '') return text;
    const [on, off] = CODES[paint];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  };
}

export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string;
  readonly paint?: (row: T) => Paint | null;
  readonly align?: 'left' | 'right';
  /** The first to give way on a narrow terminal; others keep their width. */
  readonly shrink?: boolean;
}

const GAP = '  ';
const NARROWEST = 8;

/**
 * A table with headings. `width` null (no terminal): nothing is cut, so that a pipe gets the whole text; otherwise columns
 * that may shrink do, and what was cut ends in `…`.
 */
export function table<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  options: { width: number | null; color: boolean },
): string {
  const paint = painter(options.color);
  const cells = rows.map((row) => columns.map((column) => oneLine(column.value(row))));
  const used = columns.map((_, index) => index).filter((index) => cells.some((line) => line[index] !== ''));
  const widths = columns.map((column, index) =>
    Math.max(displayWidth(column.title), ...cells.map((line) => displayWidth(line[index]!))),
  );
  if (options.width !== null) shrink(columns, used, widths, options.width);
  const line = (texts: readonly string[], paintOf: (index: number) => Paint | null): string =>
    used
      .map((index, position) => {
        const isLast = position === used.length - 1;
        const text = cut(texts[index]!, widths[index]!);
        const space = ' '.repeat(Math.max(0, widths[index]! - displayWidth(text)));
        const wanted = paintOf(index);
        const painted = wanted === null ? text : paint(wanted, text);
        if (columns[index]!.align === 'right') return space + painted;
        return isLast ? painted : painted + space;
      })
      .join(GAP)
      .trimEnd();
  const titles = columns.map((column) => column.title);
  return [
    line(titles, () => 'dim'),
    ...rows.map((row, index) => line(cells[index]!, (column) => columns[column]!.paint?.(row) ?? null)),
  ].join('\n');
}

/** Words for a key, aligned. */
export function pairs(entries: readonly (readonly [string, string])[], color: boolean): string {
  const paint = painter(color);
  const shown = entries.filter(([, value]) => value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown
    .map(
      ([name, value]) =>
        `${paint('dim', name.padEnd(width))}${GAP}${value.split('\n').join(`\n${' '.repeat(width)}${GAP}`)}`,
    )
    .join('\n');
}

/** Words that a status has everywhere, with its sign: never by colour alone. */
export function statusText(status: string): string {
  return `${SIGNS[status] ?? '·'} ${status}`;
}

export function statusPaint(status: string): Paint | null {
  return PAINTS[status] ?? null;
}

const SIGNS: Readonly<Record<string, string>> = {
  SUCCESS: '✓',
  COMPLETED_SUCCESS: '✓',
  materialized: '✓',
  succeeded: '✓',
  RUNNING: '●',
  ok: '✓',
  FAILURE: '✗',
  COMPLETED_FAILED: '✗',
  failed: '✗',
  CANCELED: '⊘',
  SKIPPED: '⊘',
  canceled: '⊘',
  STOPPED: '○',
  PAUSED: '○',
  REQUESTED: '◔',
  STARTED: '◔',
  running: '◔',
  CANCELING: '◔',
  QUEUED: '…',
  queued: '…',
  waiting: '…',
  partly: '◑',
  never: '·',
  warning: '!',
};

const PAINTS: Readonly<Record<string, Paint>> = {
  SUCCESS: 'green',
  COMPLETED_SUCCESS: 'green',
  materialized: 'green',
  succeeded: 'green',
  ok: 'green',
  RUNNING: 'green',
  FAILURE: 'red',
  COMPLETED_FAILED: 'red',
  failed: 'red',
  error: 'red',
  CANCELED: 'dim',
  SKIPPED: 'dim',
  canceled: 'dim',
  STOPPED: 'dim',
  never: 'dim',
  STARTED: 'blue',
  REQUESTED: 'blue',
  running: 'blue',
  PAUSED: 'yellow',
  partly: 'yellow',
  warning: 'yellow',
};

/** Control characters of the users' texts must not reach a terminal. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\t\n]|[\u202a-\u202e\u2066-\u2069]/gu, '�');
}

function oneLine(text: string): string {
  return printable(text.replace(/\s*\n\s*/g, ' '));
}

function shrink<T>(
  columns: readonly Column<T>[],
  used: readonly number[],
  widths: number[],
  width: number,
): void {
  const total = (): number =>
    used.reduce((sum, index) => sum + widths[index]!, 0) + GAP.length * (used.length - 1);
  for (const soft of [true, false]) {
    const candidates = used.filter((index) => (columns[index]!.shrink === true) === soft);
    while (total() > width) {
      const widest = candidates.reduce(
        (best, index) => (widths[index]! > (widths[best] ?? 0) ? index : best),
        -1,
      );
      if (widest === -1 || widths[widest]! <= NARROWEST) break;
      widths[widest] = widths[widest]! - 1;
    }
  }
}

function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const points = Array.from(text);
  while (points.length > 0 && displayWidth(points.join('')) > width - 1) points.pop();
  return `${points.join('')}…`;
}

/** Cells of a terminal, near enough: wide East Asian letters and emoji take two, combining marks none. */
function displayWidth(text: string): number {
  let width = 0;
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (code < 0x300) width += 1;
    else if (!/\p{M}/u.test(char)) width += isWide(code) ? 2 : 1;
  }
  return width;
}

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff)
  );
}
