import { dimensionsOf, layoutOf } from '../../partitions/definition/multi.ts';
import type {
  PartitionsDefinition,
  StaticPartitions,
  TimeWindowPartitions,
} from '../../partitions/definition/partitions-definition.ts';
import { staticPositions } from '../../partitions/definition/static.ts';
import { isExcluded, ordinalOfWindow, timeWindows } from '../../partitions/definition/time-window.ts';
import { ordinalAtOrAfter, tickAt } from '../../partitions/tick-index.ts';
import { kindOfParts, type PartitionPart } from './partition-identity.ts';

/** Ordinal of a stored partition under a definition; null when the definition has no such partition (any more). */
export type OrdinalOf = (p1: number, p2: number) => number | null;

/** `p_kind` of the partitions of a definition. Rows of another kind are none of its partitions. */
export function kindOf(definition: PartitionsDefinition): number {
  return kindOfParts(
    sidesOf(definition).map(
      (side): PartitionPart =>
        side.kind === 'time' ? { kind: 'time', epochSeconds: 0 } : { kind: 'static', key: '' },
    ),
  );
}

/** Which of `p1` and `p2` are ids of the dictionary of static keys. */
export function staticSides(definition: PartitionsDefinition): readonly [boolean, boolean] {
  const [first, second] = sidesOf(definition);
  return [first?.kind === 'static', second?.kind === 'static'];
}

/**
 * By integers alone, without a key in between.
 * @param staticTexts texts of the dictionary's ids that will be asked for
 */
export function ordinalsBy(
  definition: PartitionsDefinition,
  staticTexts: ReadonlyMap<number, string>,
): OrdinalOf {
  if (definition.kind !== 'multi') {
    const side = sideOrdinals(definition, staticTexts);
    return (p1) => side(p1);
  }
  const { stride, swapped } = layoutOf(definition);
  const [first, second] = dimensionsOf(definition).map((one) => sideOrdinals(one.definition, staticTexts));
  return (p1, p2) => {
    const a = (first as SideOrdinal)(p1);
    const b = (second as SideOrdinal)(p2);
    if (a === null || b === null) return null;
    return swapped ? b * stride + a : a * stride + b;
  };
}

type SideOrdinal = (value: number) => number | null;

function sideOrdinals(
  definition: TimeWindowPartitions | StaticPartitions,
  staticTexts: ReadonlyMap<number, string>,
): SideOrdinal {
  if (definition.kind === 'time') return windowOrdinals(definition);
  const positions = staticPositions(definition);
  return (id) => positions.get(staticTexts.get(id) ?? '') ?? null;
}

/** Rows come in the order of their windows: most often the answer is the last one, or the one after it. */
function windowOrdinals(definition: TimeWindowPartitions): SideOrdinal {
  const windows = timeWindows(definition);
  const { index } = windows;
  let window = 0;
  let start = tickAt(index, 0);
  return (epochSeconds) => {
    const instant = epochSeconds * 1000;
    if (instant !== start) {
      const next = instant > start ? tickAt(index, window + 1) : Number.NaN;
      window = next === instant ? window + 1 : ordinalAtOrAfter(index, instant);
      start = next === instant ? next : tickAt(index, window);
    }
    // No window starts then, or it lies outside of the definition's start and end.
    if (instant !== start || window < 0) return null;
    if (windows.end !== Number.POSITIVE_INFINITY && tickAt(index, window + 1) > windows.end) return null;
    return isExcluded(windows, window) ? null : ordinalOfWindow(windows, window);
  };
}

function sidesOf(definition: PartitionsDefinition): readonly (TimeWindowPartitions | StaticPartitions)[] {
  return definition.kind === 'multi' ? dimensionsOf(definition).map((one) => one.definition) : [definition];
}
