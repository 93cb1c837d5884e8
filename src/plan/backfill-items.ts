import { runsOfBackfill } from '../partitions/backfill-runs.ts';
import { keyToOrdinal, ordinalToKey } from '../partitions/definition/key-order.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import { unpartitioned } from '../partitions/mapping/map-partitions.ts';
import { rangeOfKeys } from '../partitions/partition-set.ts';
import {
  countOf,
  type PartitionSubset,
  rangeSubset,
  rangesOf,
} from '../partitions/subset/partition-subset.ts';
import type { KeySpan } from '../partitions/subset/subset-keys.ts';
import type { BackfillGroup, BackfillItem, BackfillPart } from './backfill-plan.ts';

type Order = 'asc' | 'desc';

/** A run before its keys are written out: that costs more than to count it. */
interface Sketch {
  readonly part: number;
  /** Ordinal of its first partition. */
  readonly first: number;
  readonly span: () => KeySpan | null;
}

/**
 * The runs of a backfill in the order of their submission, from the `from`th on. Group after group; in a group by
 * partition, oldest first or (`desc`) newest first. A serial group is always oldest first: there a partition needs the
 * one before. Lazy: what is passed over costs next to nothing.
 */
export function* itemsOfBackfill(
  groups: readonly BackfillGroup[],
  order: Order,
  from = 0,
): IterableIterator<BackfillItem> {
  let item = 0;
  for (const [position, group] of groups.entries()) {
    const count = countItems([group]);
    if (item + count <= from) {
      item += count;
      continue;
    }
    for (const sketch of inOrder(group, group.serial ? 'asc' : order)) {
      if (item >= from) yield { item, group: position, part: sketch.part, ...keysOf(sketch) };
      item += 1;
    }
  }
}

/** How many runs these groups are cut into. */
export function countItems(groups: readonly BackfillGroup[]): number {
  let count = 0;
  for (const { definition, parts, policy } of groups) {
    for (const { subset } of parts) {
      if (definition === null) count += 1;
      else if (policy === null) count += countOf(subset);
      else if (definition.kind === 'multi')
        for (const _ of runsOfBackfill(definition, subset, policy)) count += 1;
      else if (policy.type === 'single_run') count += subset.bounds.length / 2;
      else {
        const most = Math.max(1, policy.maxPartitionsPerRun);
        for (const [start, end] of rangesOf(subset)) count += Math.ceil((end - start) / most);
      }
    }
  }
  return count;
}

function keysOf(sketch: Sketch): Pick<BackfillItem, 'start' | 'end' | 'partitions'> {
  const span = sketch.span();
  return span === null
    ? { start: null, end: null, partitions: 1 }
    : { start: span.start, end: span.end, partitions: span.count };
}

/** The runs of all parts of a group, merged by partition. */
function* inOrder(group: BackfillGroup, order: Order): IterableIterator<Sketch> {
  const sign = order === 'asc' ? 1 : -1;
  const heads = group.parts.map((part, position) => {
    const rest = sketches(group, part, position, order);
    return { rest, next: rest.next() };
  });
  for (;;) {
    let best: (typeof heads)[number] | null = null;
    for (const head of heads) {
      if (head.next.done === true) continue;
      if (best === null || sign * (head.next.value.first - (best.next.value as Sketch).first) < 0)
        best = head;
    }
    if (best === null) return;
    yield best.next.value as Sketch;
    best.next = best.rest.next();
  }
}

function* sketches(
  { definition, policy }: BackfillGroup,
  { subset }: BackfillPart,
  part: number,
  order: Order,
): IterableIterator<Sketch> {
  if (definition === null) {
    yield { part, first: 0, span: () => null };
    return;
  }
  if (policy !== null) {
    const spans = [...runsOfBackfill(definition, subset, policy)];
    if (order === 'desc') spans.reverse();
    for (const span of spans) yield { part, first: keyToOrdinal(definition, span.start)!, span: () => span };
    return;
  }
  const ranges = [...rangesOf(subset)];
  if (order === 'desc') ranges.reverse();
  for (const [start, end] of ranges) {
    for (let at = 0; at < end - start; at++) {
      const first = order === 'asc' ? start + at : end - 1 - at;
      yield { part, first, span: () => oneKey(definition, first) };
    }
  }
}

function oneKey(definition: PartitionsDefinition, ordinal: number): KeySpan {
  const key = ordinalToKey(definition, ordinal)!;
  return { start: key, end: key, count: 1 };
}

/** The partitions of one item, by the definition of its group; null: the whole of an unpartitioned asset. */
export function subsetOfItem(
  definition: PartitionsDefinition | null,
  { start, end, partitions }: Pick<BackfillItem, 'start' | 'end' | 'partitions'>,
): PartitionSubset {
  if (definition === null || start === null || end === null) return unpartitioned;
  if (definition.kind === 'multi' && partitions > 1) {
    const range = rangeOfKeys(definition, start, end, null);
    if (range.ok) return range.subset();
  }
  const first = keyToOrdinal(definition, start) ?? 0;
  return rangeSubset(first, first + partitions);
}
