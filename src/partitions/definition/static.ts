import type { StaticPartitions } from './partitions-definition.ts';

const positions = new WeakMap<StaticPartitions, ReadonlyMap<string, number>>();

/** Key → position in the list. */
export function staticPositions(definition: StaticPartitions): ReadonlyMap<string, number> {
  let map = positions.get(definition);
  if (map === undefined) {
    map = new Map(definition.keys.map((key, index) => [key, index]));
    positions.set(definition, map);
  }
  return map;
}
