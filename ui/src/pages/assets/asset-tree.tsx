import { signal } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { AssetSummary } from '../../../../src/server/contract/asset.ts';
import { Icon } from '../../components/icon.tsx';
import { KeyText } from '../../components/links.tsx';
import { Glyph } from '../../components/status.tsx';
import { PartitionBar } from '../../components/strip.tsx';
import { Ago } from '../../components/time.tsx';
import { usePageWindow } from '../../components/virtual.ts';
import { assetShown, type Shown } from '../../lib/status.ts';
import { assetHref, navigate } from '../../router.ts';
import { shownState } from '../../state/assets.ts';

type Line =
  | { readonly kind: 'group'; readonly group: string; readonly members: readonly AssetSummary[] }
  | {
      readonly kind: 'asset';
      readonly asset: AssetSummary;
      readonly place: number;
      readonly of: number;
    };

/** The height that the style sheet gives to a line. */
const LINE_PX = 32;
/** Groups that were closed stay so while the page is left and come back to. */
const closed = signal<ReadonlySet<string>>(new Set());

/** Groups with their assets (ARIA's tree pattern): arrows walk, open and close, Enter opens the asset. */
export function AssetTree({ assets }: { assets: readonly AssetSummary[] }) {
  const frame = useRef<HTMLDivElement>(null);
  const shut = closed.value;
  const lines = useMemo(() => linesOf(assets, shut), [assets, shut]);
  const offsets = useMemo(() => Array.from({ length: lines.length + 1 }, (_, nth) => nth * LINE_PX), [lines]);
  const [active, setActive] = useState(0);
  const at = Math.min(active, lines.length - 1);
  const { first, last } = usePageWindow(frame, offsets);
  const moved = useRef(false);
  useEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    reveal(frame.current, at);
  }, [at]);
  const go = (to: number): void => {
    moved.current = true;
    setActive(Math.max(0, Math.min(lines.length - 1, to)));
  };
  const toggle = (group: string, open: boolean): void => {
    const next = new Set(closed.peek());
    if (open) next.delete(group);
    else next.add(group);
    closed.value = next;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const line = lines[at];
    if (line === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const isOpen = line.kind === 'group' && !shut.has(line.group);
    switch (event.key) {
      case 'ArrowDown':
        go(at + 1);
        break;
      case 'ArrowUp':
        go(at - 1);
        break;
      case 'Home':
        go(0);
        break;
      case 'End':
        go(lines.length - 1);
        break;
      case 'ArrowRight':
        if (line.kind === 'group' && !isOpen) toggle(line.group, true);
        else if (line.kind === 'group') go(at + 1);
        break;
      case 'ArrowLeft':
        if (line.kind === 'asset') go(lines.findLastIndex((one, nth) => nth < at && one.kind === 'group'));
        else toggle(line.group, false);
        break;
      case 'Enter':
      case ' ':
        if (line.kind === 'group') toggle(line.group, !isOpen);
        else navigate(assetHref(line.asset.key));
        break;
      default:
        return;
    }
    event.preventDefault();
  };
  return (
    <div
      ref={frame}
      class="asset-tree"
      role="tree"
      aria-label="Assets by group"
      tabIndex={0}
      aria-activedescendant={`line-${at}`}
      style={{ height: `${lines.length * LINE_PX}px` }}
      onKeyDown={onKeyDown}
    >
      {lines.map((line, nth) => {
        if ((nth < first || nth >= last) && nth !== at) return null;
        const shared = {
          id: `line-${nth}`,
          role: 'treeitem' as const,
          class: nth === at ? 'tree-line active' : 'tree-line',
          style: { transform: `translateY(${nth * LINE_PX}px)` },
          'aria-selected': nth === at,
        };
        if (line.kind === 'asset') {
          return (
            <div
              key={line.asset.key}
              {...shared}
              aria-level={2}
              aria-posinset={line.place}
              aria-setsize={line.of}
              onClick={() => navigate(assetHref(line.asset.key))}
            >
              <Leaf asset={line.asset} />
            </div>
          );
        }
        const isOpen = !shut.has(line.group);
        return (
          <div
            key={`group ${line.group}`}
            {...shared}
            aria-level={1}
            aria-expanded={isOpen}
            onClick={() => {
              setActive(nth);
              toggle(line.group, !isOpen);
            }}
          >
            <Icon name={isOpen ? 'down' : 'chevron'} size={14} />
            <strong>
              <bdi>{line.group}</bdi>
            </strong>
            <span class="count">{line.members.length}</span>
            <Tally members={line.members} />
          </div>
        );
      })}
    </div>
  );
}

function Leaf({ asset }: { asset: AssetSummary }) {
  const shown = stateOf(asset);
  return (
    <>
      <Glyph tone={shown.tone} />
      <span class="sr-only">{shown.text}</span>
      <span class="mono tree-key">
        <KeyText assetKey={asset.key} />
      </span>
      {asset.tool !== null && <span class="faint">{asset.tool}</span>}
      <span class="grow" />
      {asset.partitions !== null && <PartitionBar counts={asset.partitions.counts} />}
      <span class="tree-latest faint">{asset.latest !== null && <Ago at={asset.latest.at} />}</span>
    </>
  );
}

/** What is not well in a group, to be seen while it is closed. */
function Tally({ members }: { members: readonly AssetSummary[] }) {
  const failed = members.filter((asset) => stateOf(asset).tone === 'bad').length;
  const active = members.filter((asset) => stateOf(asset).tone === 'run').length;
  return (
    <>
      {failed > 0 && <span class="mark tone-bad">{failed} failed</span>}
      {active > 0 && <span class="mark tone-run">{active} running</span>}
    </>
  );
}

function stateOf(asset: AssetSummary): Shown {
  if (asset.kind === 'external') return { tone: 'idle', text: 'External' };
  if (!asset.enabled) return { tone: 'idle', text: 'Disabled' };
  return assetShown(shownState(asset));
}

function linesOf(assets: readonly AssetSummary[], shut: ReadonlySet<string>): Line[] {
  const lines: Line[] = [];
  const groups = [...Map.groupBy(assets, ({ group }) => group)].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [group, members] of groups) {
    lines.push({ kind: 'group', group, members });
    if (shut.has(group)) continue;
    for (const [index, asset] of members.entries())
      lines.push({ kind: 'asset', asset, place: index + 1, of: members.length });
  }
  return lines;
}

/** Scrolls the page as far as the line needs it. */
function reveal(frame: HTMLElement | null, at: number): void {
  if (frame === null) return;
  const top = frame.getBoundingClientRect().top + at * LINE_PX;
  if (top < 60) window.scrollBy({ top: top - 60 });
  else if (top + LINE_PX > window.innerHeight - 70)
    window.scrollBy({ top: top + LINE_PX - window.innerHeight + 70 });
}
