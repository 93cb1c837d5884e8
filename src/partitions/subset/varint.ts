/**
 * Ascending whole numbers as text: differences as LEB128 varints (<https://en.wikipedia.org/wiki/LEB128>) in
 * base64url. Two characters and two thirds for a pair of small differences.
 */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUES = new Map(ALPHABET.split('').map((letter, value) => [letter, value]));

/** Text for numbers that do not descend; the first may be negative. */
export function encodeAscending(numbers: readonly number[]): string {
  const bytes: number[] = [];
  let previous = 0;
  for (const [at, number] of numbers.entries()) {
    // The first is stored zigzag: its sign in the lowest bit.
    pushVarint(bytes, at === 0 ? (number < 0 ? -2 * number - 1 : 2 * number) : number - previous);
    previous = number;
  }
  return base64(bytes);
}

/** The numbers of a text; throws a RangeError for a text that `encodeAscending` cannot have written. */
export function decodeAscending(text: string): number[] {
  const bytes = unbase64(text);
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('a stored subset is cut short');
      value += (byte & 127) * scale;
      if (byte < 128) break;
      scale *= 128;
    }
    const previous = numbers.at(-1);
    numbers.push(
      previous === undefined ? (value % 2 === 1 ? -(value + 1) / 2 : value / 2) : previous + value,
    );
  }
  return numbers;
}

function pushVarint(bytes: number[], number: number): void {
  let rest = number;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

function base64(bytes: readonly number[]): string {
  const letters: string[] = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const size = Math.min(3, bytes.length - at) + 1;
    for (let letter = 0; letter < size; letter++)
      letters.push(ALPHABET[(group >> (18 - 6 * letter)) & 63] as string);
  }
  return letters.join('');
}

function unbase64(text: string): number[] {
  const bytes: number[] = [];
  let group = 0;
  let bits = 0;
  for (const letter of text) {
    const value = VALUES.get(letter);
    if (value === undefined) throw new RangeError(`a stored subset has the letter "${letter}" in it`);
    group = ((group << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((group >> bits) & 255);
    }
  }
  return bytes;
}
