import { Glyph } from '../../components/status.tsx';
import { memo } from '../../lib/memo.ts';
import { assetShown, type Tone } from '../../lib/status.ts';
import { shownState } from '../../state/assets.ts';
import type { GraphNode } from './graph.ts';

interface Props {
  readonly node: GraphNode;
  readonly hue: number;
  readonly x: number;
  readonly y: number;
  readonly selected: boolean;
  /** Too small to be clicked: a picture of itself. */
  readonly far: boolean;
  readonly onSelect: (node: GraphNode) => void;
}

/** Drawn anew only when something of it changed: a pan moves a thousand of them. */
export const GraphNodeBox = memo<Props>(
  ({ node, hue, x, y, selected, far, onSelect }) => {
    const look = {
      class: `graph-node hue-${hue}${node.members === null ? '' : ' is-group'}${node.asset?.kind === 'external' ? ' is-external' : ''}${selected ? ' selected' : ''}`,
      style: { transform: `translate(${x}px,${y}px)` },
    };
    const inside = node.members === null ? <AssetBox node={node} /> : <GroupBox node={node} />;
    if (far) {
      return (
        <div {...look} aria-hidden="true">
          {inside}
        </div>
      );
    }
    return (
      <button type="button" {...look} aria-pressed={selected} onClick={() => onSelect(node)}>
        {inside}
      </button>
    );
  },
  (a, b) =>
    a.node === b.node &&
    a.hue === b.hue &&
    a.x === b.x &&
    a.y === b.y &&
    a.selected === b.selected &&
    a.far === b.far,
);

function AssetBox({ node }: { node: GraphNode }) {
  const { asset } = node;
  if (asset === null) return null;
  const external = asset.kind === 'external';
  const slash = asset.key.lastIndexOf('/');
  const shown = external ? ({ tone: 'idle', text: 'External' } as const) : assetShown(shownState(asset));
  return (
    <>
      <Glyph tone={shown.tone} />
      <span class="graph-node-text">
        <span class="graph-node-key" title={asset.key}>
          <bdi>{asset.key.slice(slash + 1)}</bdi>
        </span>
        <span class="graph-node-sub">
          {shown.text} · <bdi>{slash === -1 ? (asset.tool ?? asset.group) : asset.key.slice(0, slash)}</bdi>
          {asset.held && ' · held'}
          {!asset.enabled && !external && ' · disabled'}
        </span>
      </span>
    </>
  );
}

function GroupBox({ node }: { node: GraphNode }) {
  const tones = (node.members ?? []).map((asset) => assetShown(shownState(asset)).tone);
  const worst = (['bad', 'run', 'wait', 'warn', 'ok', 'idle'] as readonly Tone[]).find((tone) =>
    tones.includes(tone),
  );
  return (
    <>
      <Glyph tone={worst ?? 'idle'} />
      <span class="graph-node-text">
        <span class="graph-node-key">
          <bdi>{node.group}</bdi>
        </span>
        <span class="graph-node-sub">{tones.length} assets · open the group</span>
      </span>
    </>
  );
}
