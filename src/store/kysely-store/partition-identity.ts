import type {
  PartitionsDefinition,
  StaticPartitions,
  TimeWindowPartitions,
} from '../../partitions/definition/partitions-definition.ts';
import { staticPositions } from '../../partitions/definition/static.ts';
import { timeWindows, windowAt, windowNamed } from '../../partitions/definition/time-window.ts';
import { dimensionsOf, keyOfWindow, windowOfKey } from '../../partitions/partition-set.ts';

/**
 * What a partition is, whatever it is called: a time partition is its window's start, a static one an entry of the
 * append-only dictionary, a 2-D one a tuple in alphabetical order of the dimension names. Definitions may change their
 * start, their `fmt` or the order of their keys: this stays.
 */
export type PartitionPart =
  | { readonly kind: 'time'; readonly epochSeconds: number }
  | { readonly kind: 'static'; readonly key: string };

/** `p_kind` of a row: which of `p1` and `p2` is an instant (epoch seconds) and which an id of `static_key`. */
export const P_KIND = {
  none: 0,
  time: 1,
  static: 2,
  timeTime: 3,
  timeStatic: 4,
  staticTime: 5,
  staticStatic: 6,
  /** A text that its definition does not know: kept as it is. */
  text: 7,
} as const;

/** The parts of the partition that a text names; null when the definition cannot read it. Existence is not asked. */
export function partsOf(
  definition: PartitionsDefinition,
  text: string,
): readonly [PartitionPart] | readonly [PartitionPart, PartitionPart] | null {
  if (definition.kind !== 'multi') {
    const part = partOf(definition, text);
    return part === null ? null : [part];
  }
  const texts = text.split('|');
  if (texts.length !== 2) return null;
  const dimensions = dimensionsOf(definition);
  const first = partOf(dimensions[0].definition, texts[0] as string);
  const second = partOf(dimensions[1].definition, texts[1] as string);
  return first === null || second === null ? null : [first, second];
}

/** The key that a definition gives to these parts today; null when it has no such partition. */
export function labelOf(definition: PartitionsDefinition, parts: readonly PartitionPart[]): string | null {
  const dimensions =
    definition.kind === 'multi'
      ? dimensionsOf(definition).map((dimension) => dimension.definition)
      : [definition];
  if (dimensions.length !== parts.length) return null;
  const labels = parts.map((part, index) =>
    labelOfPart(dimensions[index] as TimeWindowPartitions | StaticPartitions, part),
  );
  return labels.includes(null) ? null : labels.join('|');
}

/** `p_kind` of these parts. */
export function kindOfParts(parts: readonly PartitionPart[]): number {
  const [first, second] = parts;
  if (first === undefined) return P_KIND.none;
  if (second === undefined) return first.kind === 'time' ? P_KIND.time : P_KIND.static;
  if (first.kind === 'time') return second.kind === 'time' ? P_KIND.timeTime : P_KIND.timeStatic;
  return second.kind === 'time' ? P_KIND.staticTime : P_KIND.staticStatic;
}

/** Which kinds the parts of a row have; none for an unpartitioned row and for a text that could not be read. */
export function partKinds(pKind: number): readonly PartitionPart['kind'][] {
  switch (pKind) {
    case P_KIND.time:
      return ['time'];
    case P_KIND.static:
      return ['static'];
    case P_KIND.timeTime:
      return ['time', 'time'];
    case P_KIND.timeStatic:
      return ['time', 'static'];
    case P_KIND.staticTime:
      return ['static', 'time'];
    case P_KIND.staticStatic:
      return ['static', 'static'];
    default:
      return [];
  }
}

function partOf(definition: TimeWindowPartitions | StaticPartitions, text: string): PartitionPart | null {
  if (definition.kind === 'static') {
    return staticPositions(definition).has(text) ? { kind: 'static', key: text } : null;
  }
  const windows = timeWindows(definition);
  const window = windowNamed(windows, text);
  if (window === null) return null;
  const { start } = windowAt(windows, window);
  return Number.isFinite(start) ? { kind: 'time', epochSeconds: Math.floor(start / 1000) } : null;
}

function labelOfPart(
  definition: TimeWindowPartitions | StaticPartitions,
  part: PartitionPart,
): string | null {
  if (definition.kind === 'static') {
    return part.kind === 'static' && staticPositions(definition).has(part.key) ? part.key : null;
  }
  if (part.kind !== 'time') return null;
  const key = keyOfWindow(definition, part.epochSeconds * 1000);
  return key !== null && windowOfKey(definition, key) !== null ? key : null;
}
