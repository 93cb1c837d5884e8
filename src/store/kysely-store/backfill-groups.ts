import { decodeAscending, encodeAscending } from '../../partitions/subset/varint.ts';
import type { BackfillGroup } from '../../plan/backfill-plan.ts';
import { fromJson } from './json.ts';

type StoredGroup = Omit<BackfillGroup, 'parts'> & {
  readonly parts: readonly { readonly assets: readonly string[]; readonly bounds: string }[];
};

/** Groups as text: ordinals mean what they mean by the group's own definition, which lies beside them and never changes. */
export function encodeGroups(groups: readonly BackfillGroup[]): string {
  const stored = groups.map(
    (group): StoredGroup => ({
      ...group,
      parts: group.parts.map(({ assets, subset }) => ({ assets, bounds: encodeAscending(subset.bounds) })),
    }),
  );
  return JSON.stringify(stored);
}

export function decodeGroups(text: string): readonly BackfillGroup[] {
  return fromJson<StoredGroup[]>(text).map((group) => ({
    ...group,
    parts: group.parts.map(({ assets, bounds }) => ({ assets, subset: { bounds: decodeAscending(bounds) } })),
  }));
}
