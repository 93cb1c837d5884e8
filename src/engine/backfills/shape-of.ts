import type { Definitions } from '../../definitions/definitions.ts';
import { digestOf } from '../../lib/digest.ts';
import type { BackfillGroup } from '../../plan/backfill-plan.ts';

/** What the definitions say of a backfill's assets, as far as it can make partitions of them come or go. */
export function shapeOf(definitions: Definitions, groups: readonly BackfillGroup[]): string {
  const shape: Record<string, unknown> = {};
  for (const { parts } of groups) {
    for (const key of parts.flatMap((part) => part.assets)) {
      const node = definitions.assets.nodes.get(key);
      shape[key] = node === undefined ? null : [node.kind, node.enabled, node.partitions ?? null];
    }
  }
  return digestOf(shape);
}
