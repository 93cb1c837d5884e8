import { useRef } from 'preact/hooks';
import type { AssetSummary } from '../../../../src/server/contract/asset.ts';
import type { TimelineLane } from '../../../../src/server/contract/timeline.ts';
import { Icon } from '../../components/icon.tsx';
import { KeyText } from '../../components/links.tsx';
import { RunStrip } from '../../components/strip.tsx';
import { plural } from '../../lib/format.ts';
import { assetHref, navigate, runHref } from '../../router.ts';
import {
  barItems,
  barShown,
  columnItems,
  countsOf,
  type Item,
  itemAt,
  itemLines,
  tickItems,
} from './items.ts';
import { percent, type Span } from './scale.ts';

interface LaneProps {
  readonly lane: TimelineLane;
  readonly span: Span;
  readonly now: number;
  /** Where the columns of the answer begin, and how wide they are. */
  readonly columns: { readonly from: number; readonly seconds: number };
  /** Null: this chart has no place for them. */
  readonly recent: AssetSummary['recent_runs'] | null;
  readonly onToggle: ((group: string) => void) | null;
  readonly onPoint: (item: Item | null, top: number) => void;
  readonly onZoom: ((span: Span) => void) | null;
}

const TRACK_PX = 22;
/** A thin bar is hit from so many pixels beside it. */
const NEAR_PX = 10;

export function Lane({ lane, span, now, columns, recent, onToggle, onPoint, onZoom }: LaneProps) {
  const area = useRef<HTMLDivElement>(null);
  const { items: bars, tracks } = barItems(lane.bars ?? [], span, now);
  const density = columnItems(lane.columns ?? [], span, columns);
  const ticks = tickItems(lane.ticks, span, now);
  const all: readonly Item[] = [...density, ...bars, ...ticks];
  const counts = countsOf([...density, ...bars]);
  const point = (item: Item | null): void => {
    const row = area.current?.parentElement;
    onPoint(item, (row?.offsetTop ?? 0) + (row?.offsetHeight ?? 0) - 4);
  };
  const under = (event: MouseEvent): Item | null => {
    const box = area.current?.getBoundingClientRect();
    if (box === undefined) return null;
    const near = (NEAR_PX / box.width) * 100;
    const track = Math.floor((event.clientY - box.top - 4) / TRACK_PX);
    const onTrack = all.filter((item) => item.kind !== 'run' || tracks === 1 || item.track === track);
    return itemAt(onTrack, ((event.clientX - box.left) / box.width) * 100, near);
  };
  const click = (event: MouseEvent): void => {
    if (event.target instanceof Element && event.target.closest('a') !== null) return;
    const item = under(event);
    if (item?.kind === 'run') navigate(runHref(item.bar.run_id));
    else if (item?.kind === 'column') onZoom?.({ from: item.from, to: item.to });
  };
  return (
    <div class={`tl-row is-${lane.kind}`} data-row data-lane={lane.name}>
      <Label lane={lane} counts={counts} onToggle={onToggle} />
      {recent !== null && <div class="tl-recent">{recent.length > 0 && <RunStrip runs={recent} />}</div>}
      {/* oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the bars in it are links */}
      <div
        ref={area}
        class="tl-area"
        role="group"
        tabIndex={0}
        aria-label={describe(lane, counts)}
        style={{ height: `${8 + tracks * TRACK_PX}px` }}
        onKeyDown={walk}
        onMouseMove={(event) => point(under(event))}
        onMouseLeave={() => point(null)}
        onFocusOut={() => point(null)}
        onClick={click}
      >
        {lane.columns !== null && <Density items={density} />}
        {bars.map((item) => (
          <a
            key={item.bar.run_id}
            class={`tl-bar tone-${barShown(item.bar).tone} is-${item.bar.status}`}
            href={runHref(item.bar.run_id)}
            tabIndex={-1}
            aria-label={[itemLines(item, now).title, ...itemLines(item, now).lines].join(', ')}
            draggable={false}
            style={{
              left: `${item.left}%`,
              width: `max(5px, ${item.width}%)`,
              top: `${4 + item.track * TRACK_PX}px`,
            }}
            onFocus={() => point(item)}
          />
        ))}
        {ticks.map((item) => (
          <i key={item.tick.at} class="tl-tick" style={{ left: `${item.left}%` }} />
        ))}
        {lane.ticks_until !== null && (
          <i
            class="tl-more"
            style={{ left: `${Math.min(100, Math.max(0, percent(span, Date.parse(lane.ticks_until))))}%` }}
          />
        )}
      </div>
    </div>
  );
}

type Counts = ReturnType<typeof countsOf>;

function Label({
  lane,
  counts: { runs, failed },
  onToggle,
}: Pick<LaneProps, 'lane' | 'onToggle'> & { counts: Counts }) {
  const sub = (
    <span class="tl-sub">
      {runs === 0 ? '' : plural(runs, 'run')}
      {failed > 0 && <b class="tone-text-bad"> · {failed} failed</b>}
    </span>
  );
  if (lane.kind === 'asset') {
    return (
      <div class="tl-label">
        <a class="key clip" href={assetHref(lane.name)} title={lane.name}>
          <KeyText assetKey={lane.name} />
        </a>
        {sub}
      </div>
    );
  }
  if (lane.kind === 'removed') {
    return (
      <div class="tl-label">
        <span title="They ran, and no revision in force has them any more">Removed from Git</span>
        {sub}
      </div>
    );
  }
  if (onToggle === null) {
    return (
      <div class="tl-label">
        <a class="clip group-name" href={`/timeline?group=${encodeURIComponent(lane.name)}`}>
          <bdi>{lane.name}</bdi>
        </a>
        {sub}
      </div>
    );
  }
  return (
    <div class="tl-label">
      <button
        type="button"
        class="tl-toggle"
        aria-expanded={lane.open}
        title={`${plural(lane.assets, 'asset')}${lane.open ? ', fold' : ', unfold'}`}
        onClick={() => onToggle(lane.name)}
      >
        <Icon name={lane.open ? 'down' : 'chevron'} size={12} />
        <bdi class="clip">{lane.name}</bdi>
        <span class="count">{lane.assets}</span>
      </button>
      {sub}
    </div>
  );
}

/** Too many runs for bars: how many began when, failed ones on top. */
function Density({ items }: { items: readonly Extract<Item, { kind: 'column' }>[] }) {
  const sums = items.map(
    ({ counts: { succeeded, failed, active, other } }) => succeeded + failed + active + other,
  );
  const most = Math.max(1, ...sums);
  const paths = new Map<string, string>();
  const HEIGHT = 22;
  for (const [index, { left, width, counts }] of items.entries()) {
    const total = ((sums[index] ?? 0) / most) * HEIGHT;
    let top = HEIGHT;
    for (const [tone, number] of [
      ['ok', counts.succeeded],
      ['idle', counts.other],
      ['run', counts.active],
      ['bad', counts.failed],
    ] as const) {
      if (number === 0) continue;
      // One failure among a thousand is seen.
      const height = Math.max(tone === 'bad' ? 5 : 2, (number / (sums[index] ?? 1)) * total);
      top = Math.max(0, top - height);
      const d = `M${round(left)} ${round(top)}h${round(width * 0.84)}v${round(height)}h${round(-width * 0.84)}z`;
      paths.set(tone, (paths.get(tone) ?? '') + d);
    }
  }
  return (
    <svg class="tl-density" viewBox={`0 0 100 ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {[...paths].map(([tone, d]) => (
        <path key={tone} class={`tone-${tone}`} d={d} />
      ))}
    </svg>
  );
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function describe({ kind, name, ticks }: TimelineLane, { runs, failed }: Counts): string {
  const [next] = ticks;
  const what = kind === 'removed' ? 'Removed assets' : name;
  return [
    `${what}: ${plural(runs, 'run')}${failed > 0 ? `, ${failed} failed` : ''}`,
    next === undefined ? '' : `next tick ${new Date(next.at).toLocaleString('sv-SE')}`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

/** Arrows go along the runs of a lane, up and down to its neighbours. */
function walk(event: KeyboardEvent): void {
  const area = event.currentTarget as HTMLElement;
  const bars = [...area.querySelectorAll<HTMLElement>('a.tl-bar')];
  const at = bars.indexOf(document.activeElement as HTMLElement);
  const target = (): HTMLElement | undefined | null => {
    switch (event.key) {
      case 'ArrowRight':
        return bars[at + 1];
      case 'ArrowLeft':
        return at === -1 ? bars.at(-1) : bars[at - 1];
      case 'Home':
        return bars[0];
      case 'End':
        return bars.at(-1);
      case 'Escape':
        return area;
      case 'ArrowDown':
      case 'ArrowUp': {
        const areas = [...document.querySelectorAll<HTMLElement>('.tl-area')];
        const next = areas[areas.indexOf(area) + (event.key === 'ArrowDown' ? 1 : -1)];
        return at === -1 || next === undefined ? next : (nearest(next, bars[at]) ?? next);
      }
      default:
        return null;
    }
  };
  const next = target();
  if (next === null) return;
  event.preventDefault();
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}

function nearest(area: HTMLElement, to: HTMLElement | undefined): HTMLElement | undefined {
  const x = to?.getBoundingClientRect().left ?? 0;
  const distance = (bar: HTMLElement): number => Math.abs(bar.getBoundingClientRect().left - x);
  return [...area.querySelectorAll<HTMLElement>('a.tl-bar')].sort((a, b) => distance(a) - distance(b))[0];
}
