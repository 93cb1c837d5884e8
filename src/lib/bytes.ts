const UNITS: readonly (readonly [string, number])[] = [
  ['TiB', 2 ** 40],
  ['TB', 1e12],
  ['GiB', 2 ** 30],
  ['GB', 1e9],
  ['MiB', 2 ** 20],
  ['MB', 1e6],
  ['KiB', 2 ** 10],
  ['kB', 1e3],
];
const AMOUNT = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?)b?|b)?$/i;

/** Bytes of `2GB` (powers of 1000), `512MiB`, `512Mi` (powers of 1024), `64m` or a bare number; null for anything else. */
export function parseBytes(text: string): number | null {
  const match = AMOUNT.exec(text.trim());
  if (match === null) return null;
  const [, amount, prefix, binary] = match;
  const power = prefix === undefined ? 0 : 'kmgt'.indexOf(prefix.toLowerCase()) + 1;
  const bytes = Math.round(Number(amount) * (binary === 'i' ? 1024 : 1000) ** power);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** The shortest text that `parseBytes` reads as exactly so many: `2GB`, `1536MiB`. */
export function writtenBytes(bytes: number): string {
  const texts = UNITS.filter(([, size]) => bytes >= size && bytes % size === 0).map(
    ([unit, size]) => `${bytes / size}${unit}`,
  );
  return [...texts, `${bytes}B`].reduce((best, text) => (text.length < best.length ? text : best));
}

/** For people, to three digits: `1.53 GB`. */
export function roundedBytes(bytes: number): string {
  const [unit, size] = UNITS.find(([name, one]) => !name.includes('i') && bytes >= one) ?? ['B', 1];
  return `${Number((bytes / size).toPrecision(3))} ${unit}`;
}
