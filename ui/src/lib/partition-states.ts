import type { PartitionList, PartitionState } from '../../../src/server/contract/asset.ts';

/** By the two bits of a partition. */
const STATES: readonly PartitionState[] = ['missing', 'materialized', 'failed', 'in_progress'];
const LETTERS = '.mfi';

/**
 * A list that the service packed into `states`, with its ranges or cells written out. Keys of such ranges are '': of many
 * thousands only those that somebody asks for are fetched (`pages/asset/partition-keys.ts`).
 */
export function unpacked(list: PartitionList): PartitionList {
  if (list.states === null) return list;
  const bits = Uint8Array.from(atob(list.states), (letter) => letter.charCodeAt(0));
  const stateAt = (place: number): number => ((bits[place >> 2] ?? 0) >> ((place & 3) * 2)) & 3;
  if (list.matrix !== null) {
    const across = list.matrix.columns.keys.length;
    const cells = list.matrix.rows.keys.map((_, row) =>
      Array.from({ length: across }, (__, column) => LETTERS[stateAt(row * across + column)]).join(''),
    );
    return { ...list, matrix: { ...list.matrix, cells } };
  }
  const ranges: PartitionList['ranges'] = [];
  const { total } = list.info.counts;
  let from = 0;
  for (let place = 1; place <= total; place += 1) {
    if (place < total && stateAt(place) === stateAt(from)) continue;
    ranges.push({
      from,
      to: place - 1,
      from_key: '',
      to_key: '',
      status: STATES[stateAt(from)] ?? 'missing',
    });
    from = place;
  }
  return { ...list, ranges };
}
