import type { MultiPartitions, StaticPartitions, TimeWindowPartitions } from './partitions-definition.ts';

/** One side of a 2-D set. */
export interface Dimension {
  readonly name: string;
  readonly definition: TimeWindowPartitions | StaticPartitions;
}

/** What joins the two parts of a key. */
export const KEY_SEPARATOR = '|';

/** The two dimensions in the order of their names by code point (Python's `sorted`), which is the order in a key. */
export function dimensionsOf(definition: MultiPartitions): readonly [Dimension, Dimension] {
  const names = Object.keys(definition.dimensions).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  if (names.length !== 2) throw new RangeError(`a 2-D set has two dimensions, not ${names.length}`);
  const [first, second] = names.map((name) => ({
    name,
    definition: definition.dimensions[name] as TimeWindowPartitions | StaticPartitions,
  }));
  return [first as Dimension, second as Dimension];
}

/** The parts of a 2-D key by dimension name; null when it does not have exactly two. Says nothing of existence. */
export function splitKey(definition: MultiPartitions, key: string): Record<string, string> | null {
  const parts = key.split(KEY_SEPARATOR);
  if (parts.length !== 2) return null;
  const [first, second] = dimensionsOf(definition);
  return { [first.name]: parts[0] as string, [second.name]: parts[1] as string };
}

/** The key of two parts. Throws a RangeError when a dimension is missing. */
export function joinKey(definition: MultiPartitions, parts: Readonly<Record<string, string>>): string {
  const texts = dimensionsOf(definition).map(({ name }) => {
    const part = parts[name];
    if (part === undefined) throw new RangeError(`no key for dimension "${name}"`);
    return part;
  });
  return texts.join(KEY_SEPARATOR);
}

/**
 * How the cells of a 2-D set are numbered, so that time may pass without renumbering: `major` grows,
 * `minor` is fixed, ordinal = major × stride + minor. Of a time and a static dimension time is the major one. Of two
 * time dimensions neither is fixed: the stride leaves room, and the ordinals have holes.
 */
export interface Layout {
  readonly major: Dimension;
  readonly minor: Dimension;
  readonly stride: number;
  /** The major dimension comes second in a key. */
  readonly swapped: boolean;
}

const ROOM = 2 ** 26;

/** The numbering of a 2-D set. */
export function layoutOf(definition: MultiPartitions): Layout {
  const [first, second] = dimensionsOf(definition);
  const swapped = first.definition.kind === 'static' && second.definition.kind === 'time';
  const major = swapped ? second : first;
  const minor = swapped ? first : second;
  const stride = minor.definition.kind === 'static' ? Math.max(1, minor.definition.keys.length) : ROOM;
  return { major, minor, stride, swapped };
}
