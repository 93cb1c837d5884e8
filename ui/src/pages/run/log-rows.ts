import type { LogLine } from '../../../../src/server/contract/run.ts';
import { stripAnsi } from '../../lib/ansi.ts';

/** Height of a line in the style sheet. */
export const LINE_PX = 19;
/** Of the characters of the log's font at 12 pixels. */
const CHARACTER_PX = 7.25;

/** Where each row of the log lies. */
export interface LogRows {
  readonly height: number;
  top(row: number): number;
  at(y: number): number;
}

/** Every row as high as a line. */
export function evenRows(number: number): LogRows {
  return {
    height: number * LINE_PX,
    top: (row) => row * LINE_PX,
    at: (y) => Math.max(0, Math.min(number - 1, Math.floor(y / LINE_PX))),
  };
}

/**
 * Long lines broken into several: their height follows from their length, because the font has one width. 100,000 lines
 * take some 20 ms.
 * @param width pixels of a line's text
 */
export function wrappedRows(
  lines: readonly LogLine[],
  shown: readonly number[] | null,
  number: number,
  width: number,
): LogRows {
  const columns = Math.max(10, Math.floor(width / CHARACTER_PX));
  const tops = new Float64Array(number + 1);
  for (let row = 0; row < number; row += 1) {
    const text = lines[shown === null ? row : (shown[row] ?? 0)]?.text ?? '';
    tops[row + 1] = tops[row]! + LINE_PX * Math.max(1, Math.ceil(cells(text) / columns));
  }
  return {
    height: tops[number] ?? 0,
    top: (row) => tops[Math.min(row, number)] ?? 0,
    at(y) {
      let low = 0;
      let high = Math.max(0, number - 1);
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (tops[middle]! <= y) low = middle;
        else high = middle - 1;
      }
      return low;
    },
  };
}

/** Places that a text takes: a tab eight at most, a wide letter two. */
function cells(text: string): number {
  const plain = stripAnsi(text);
  // oxlint-disable-next-line no-control-regex -- a tab is what is looked for
  if (/^[\x20-\x7e]*$/.test(plain)) return plain.length;
  let sum = 0;
  for (const letter of plain) sum += letter === '\t' ? 8 : letter > '\u1100' ? 2 : 1;
  return sum;
}
