import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { AssetSummary } from '../../../../src/server/contract/asset.ts';
import type { Timeline, TimelineLane } from '../../../../src/server/contract/timeline.ts';
import { useBrush } from '../../components/brush.ts';
import { Icon } from '../../components/icon.tsx';
import { shortSha } from '../../lib/format.ts';
import { now } from '../../state/clock.ts';
import { type Item, itemLines } from './items.ts';
import { Lane } from './lane.tsx';
import { FLAG_PX, type Flag, flagHref, flagsOf, markText } from './marks.ts';
import { recentOf } from './recent.ts';
import { axisTicks, between, percent, type Span } from './scale.ts';

interface ChartProps {
  readonly timeline: Timeline;
  readonly lanes: readonly TimelineLane[];
  readonly span: Span;
  /** For the last runs of each lane; null: without them. */
  readonly assets: readonly AssetSummary[] | null;
  readonly onToggle: ((group: string) => void) | null;
  readonly onZoom: ((span: Span) => void) | null;
}

interface Pointed {
  readonly item: Item;
  readonly top: number;
}

/** Lanes of runs on one axis of time: what was, now, what is planned, and each revision as a line through all. */
export function Chart({ timeline, lanes, span, assets, onToggle, onZoom }: ChartProps) {
  const over = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(900);
  const [pointed, setPointed] = useState<Pointed | null>(null);
  useLayoutEffect(() => {
    const element = over.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, []);
  const brush = useBrush(over, span, onZoom === null ? null : (chosen) => onZoom(between(chosen)));
  const present = percent(span, now.value);
  const ticks = axisTicks(span, width);
  // A label that would touch "now" gives way to it.
  const labels = ticks.filter(({ at }) => Math.abs(percent(span, at) - present) * width > 3_400);
  const flags = flagsOf(timeline.marks, span, width);
  const recent = assets === null ? null : recentOf(assets);
  const columns = { from: Date.parse(timeline.from), seconds: timeline.column_seconds };
  return (
    <div
      class={recent === null ? 'tl is-small' : 'tl'}
      onPointerDown={brush.onPointerDown}
      onClickCapture={brush.onClickCapture}
    >
      <div class="tl-row tl-head">
        <span class="tl-label faint">Group</span>
        {recent !== null && <span class="tl-recent faint">Last 20</span>}
        <div class="tl-axis">
          {flags.map((flag) => (
            <FlagLink
              key={flag.marks.at(-1)?.revision_id}
              flag={flag}
              room={((100 - flag.left) * width) / 100}
            />
          ))}
          {present >= 0 && present <= 100 && (
            <span class="tl-time is-now" style={{ left: `${present}%` }}>
              now
            </span>
          )}
          {labels.map(({ at, text }) => (
            <span key={at} class="tl-time" style={{ left: `${percent(span, at)}%` }}>
              {text}
            </span>
          ))}
        </div>
      </div>
      <div class="tl-under" aria-hidden="true">
        <div ref={over} class="tl-plane">
          {ticks.map(({ at }) => (
            <i key={at} class="tl-grid" style={{ left: `${percent(span, at)}%` }} />
          ))}
          {present < 100 && <i class="tl-ahead" style={{ left: `${Math.max(0, present)}%` }} />}
          {timeline.marks.map((mark) => {
            const left = percent(span, Date.parse(mark.at));
            return left < 0 || left > 100 ? null : (
              <i
                key={`${mark.component} ${mark.revision_id}`}
                class={`tl-line is-${mark.kind}`}
                style={{ left: `${left}%` }}
              />
            );
          })}
          {present >= 0 && present <= 100 && <i class="tl-now" style={{ left: `${present}%` }} />}
          {brush.shown !== null && (
            <i
              class="tl-brush"
              style={{
                left: `${percent(span, brush.shown.from)}%`,
                width: `${percent(span, brush.shown.to) - percent(span, brush.shown.from)}%`,
              }}
            />
          )}
        </div>
      </div>
      {lanes.map((lane) => (
        <Lane
          key={`${lane.kind} ${lane.name}`}
          lane={lane}
          span={span}
          now={now.value}
          columns={columns}
          recent={recent === null ? null : recent(lane)}
          onToggle={onToggle}
          onZoom={onZoom}
          onPoint={(item, top) => setPointed(item === null ? null : { item, top })}
        />
      ))}
      {pointed !== null && brush.shown === null && <Card pointed={pointed} />}
    </div>
  );
}

/** @param room pixels to the right of it */
function FlagLink({ flag, room }: { flag: Flag; room: number }) {
  const newest = flag.marks.at(-1);
  if (newest === undefined) return null;
  const kind = flag.marks.some((mark) => mark.kind !== 'sync') ? ' tone-warn' : '';
  const side = room < FLAG_PX ? ' is-left' : '';
  return (
    <a
      class={`tl-flag${kind}${side}`}
      href={flagHref(flag)}
      style={{ left: `${flag.left}%` }}
      title={flag.marks.map(markText).toReversed().join('\n\n')}
    >
      <Icon name={newest.kind === 'rollback' ? 'retry' : 'git'} size={12} />
      <span class="sr-only">
        {newest.kind === 'rollback' ? 'Rolled back to' : newest.kind === 'pin' ? 'Pinned to' : 'Synced'}
      </span>
      {shortSha(newest.commit)}
      {flag.marks.length > 1 && <span class="faint">+{flag.marks.length - 1}</span>}
    </a>
  );
}

function Card({ pointed: { item, top } }: { pointed: Pointed }) {
  const { title, lines } = itemLines(item, now.value);
  const left = item.left + (item.kind === 'tick' ? 0 : Math.min(item.width, 4) / 2);
  return (
    <div class="tl-under tl-card-plane" style={{ top: `${top}px` }} aria-hidden="true">
      <div class="tl-plane">
        <div class={left > 60 ? 'tl-card is-left' : 'tl-card'} style={{ left: `${left}%` }}>
          <strong>{title}</strong>
          {lines.map((line) => (
            <bdi key={line}>{line}</bdi>
          ))}
        </div>
      </div>
    </div>
  );
}
