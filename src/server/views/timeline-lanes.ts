import type { AssetNode, Definitions } from '../../definitions/definitions.ts';

/** A line of the timeline: a group, or an asset of a group that was opened. */
export interface Lane {
  readonly kind: 'group' | 'asset';
  readonly name: string;
  readonly group: string;
  readonly assetKeys: readonly string[];
  readonly open: boolean;
}

/** As many as somebody scrolls through; the rest is found by its group. */
const MOST_LANES = 200;

/** Groups by name, each opened one with its assets behind it. */
export function timelineLanes(
  definitions: Definitions,
  asked: { readonly group: string | undefined; readonly open: ReadonlySet<string> },
): { readonly lanes: readonly Lane[]; readonly leftOut: number } {
  const groups = new Map<string, AssetNode[]>();
  for (const node of definitions.assets.nodes.values()) {
    if (node.kind !== 'materializable' || (asked.group !== undefined && node.group !== asked.group)) continue;
    const members = groups.get(node.group);
    if (members === undefined) groups.set(node.group, [node]);
    else members.push(node);
  }
  const lanes = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([group, members]): Lane[] => {
      const keys = members.map(({ key }) => key);
      const open = asked.group === group || asked.open.has(group);
      const own: Lane = { kind: 'group', name: group, group, assetKeys: keys, open };
      return open ? [own, ...keys.map((key) => assetLane(key, group))] : [own];
    });
  return { lanes: lanes.slice(0, MOST_LANES), leftOut: Math.max(0, lanes.length - MOST_LANES) };
}

function assetLane(key: string, group: string): Lane {
  return { kind: 'asset', name: key, group, assetKeys: [key], open: false };
}
