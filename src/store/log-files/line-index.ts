/** Every so many lines the index remembers where one begins: a read scans less than this many lines too much. */
export const STRIDE = 256;
const NEWLINE = 0x0a;

/** Where lines begin in a log file, without holding one number per line. */
export interface LineIndex {
  /** Bytes seen. */
  readonly size: number;
  /** Lines that have their newline. */
  readonly lines: number;
  /** `offsets[k]`: where line `k × STRIDE + 1` begins. */
  readonly offsets: readonly number[];
  /** Where the line that has no newline yet begins; equal to `size` when there is none. */
  readonly openLineAt: number;
}

export const EMPTY_INDEX: LineIndex = { size: 0, lines: 0, offsets: [0], openLineAt: 0 };

/** The index after more bytes at the end. */
export function extendIndex(index: LineIndex, bytes: Uint8Array): LineIndex {
  const offsets = [...index.offsets];
  let { lines, openLineAt } = index;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
    lines += 1;
    openLineAt = index.size + at + 1;
    if (lines % STRIDE === 0) offsets.push(openLineAt);
  }
  return { size: index.size + bytes.length, lines, offsets, openLineAt };
}

/** Where to begin reading to reach a line (from 1), and which line begins there. */
export function nearestBefore(
  index: LineIndex,
  line: number,
): { readonly offset: number; readonly line: number } {
  const slot = Math.min(Math.floor((line - 1) / STRIDE), index.offsets.length - 1);
  return { offset: index.offsets[slot] as number, line: slot * STRIDE + 1 };
}
