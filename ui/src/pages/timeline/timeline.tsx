import { useRef } from 'preact/hooks';
import type { Timeline } from '../../../../src/server/contract/timeline.ts';
import { segment } from '../../api/client.ts';
import { Button, FilterBox, Segmented } from '../../components/controls.tsx';
import { Empty, Skeleton } from '../../components/feedback.tsx';
import { Load } from '../../components/load.tsx';
import { Page } from '../../components/page.tsx';
import { exact, plural } from '../../lib/format.ts';
import { fuzzyScore } from '../../lib/fuzzy.ts';
import { query, setQuery } from '../../router.ts';
import { assets } from '../../state/assets.ts';
import { now } from '../../state/clock.ts';
import { concernsAssets, concernsTimeline } from '../../state/concerns.ts';
import { useResource } from '../../state/resource.ts';
import { AsTable } from './as-table.tsx';
import { Chart } from './chart.tsx';
import { Legend } from './legend.tsx';
import { moved, RANGES, type RangeName, type Span, spanOf, zoomed } from './scale.ts';

const MOST_ON_HOME = 12;
const NAMES = Object.keys(RANGES) as RangeName[];

/** What ran, runs and will run, and which revision was live meanwhile. Times, groups and form are in the address. */
export function TimelinePage() {
  useResource('/assets', concernsAssets);
  const fixed = fixedSpan();
  const range = NAMES.find((name) => name === query('range')) ?? '24h';
  const span = fixed ?? spanOf(range, now.value);
  const group = query('group');
  const open = query('open').split(',').filter(Boolean);
  const timeline = useResource<Timeline>(pathOf(fixed, range, group, open), concernsTimeline);
  // What was shown stays, at its new place, until the new time has come.
  const last = useRef<Timeline | null>(null);
  last.current = timeline.data.value ?? last.current;
  const show = (next: Span): void =>
    setQuery({ from: new Date(next.from).toISOString(), to: new Date(next.to).toISOString(), range: '' });
  const asTable = query('view') === 'table';
  return (
    <Page title="Timeline" wide>
      <div class="toolbar">
        <Segmented
          label="Time"
          value={fixed === null ? range : 'chosen'}
          choices={NAMES.map((value) => ({ value, text: value, title: `The last ${value} and what comes` }))}
          onChoose={(value) => setQuery({ range: value === '24h' ? '' : value, from: '', to: '' })}
        />
        <span class="row tight">
          <Button
            kind="quiet"
            icon="back"
            label="Earlier"
            title="Earlier"
            onClick={() => show(moved(span, -0.5))}
          />
          <Button
            kind="quiet"
            icon="minus"
            label="Zoom out"
            title="Zoom out"
            onClick={() => show(zoomed(span, 2))}
          />
          <Button
            kind="quiet"
            icon="plus"
            label="Zoom in"
            title="Zoom in, or drag across the lanes"
            onClick={() => show(zoomed(span, 0.5))}
          />
          <Button
            kind="quiet"
            icon="chevron"
            label="Later"
            title="Later"
            onClick={() => show(moved(span, 0.5))}
          />
        </span>
        {fixed !== null && (
          <Button icon="close" title="Back to now" onClick={() => setQuery({ from: '', to: '' })}>
            {exact(span.from).slice(5, 16)} to {exact(span.to).slice(5, 16)}
          </Button>
        )}
        {group !== '' && (
          <Button icon="close" title="All groups" onClick={() => setQuery({ group: '' })}>
            {group}
          </Button>
        )}
        <FilterBox value={query('q')} placeholder="Filter lanes" onInput={(q) => setQuery({ q })} />
        <span class="toolbar-count row">
          <Segmented
            label="Form"
            value={asTable ? 'table' : 'lanes'}
            choices={[
              { value: 'lanes', text: 'Lanes' },
              { value: 'table', text: 'Table' },
            ]}
            onChoose={(value) => setQuery({ view: value === 'table' ? value : '' })}
          />
        </span>
      </div>
      {timeline.data.value === undefined && timeline.error.value === undefined && last.current !== null ? (
        <Found timeline={last.current} span={span} asTable={asTable} open={open} onZoom={show} />
      ) : (
        <Load from={timeline} what="The timeline" skeleton={<Skeleton rows={10} height={38} />}>
          {(data) => <Found timeline={data} span={span} asTable={asTable} open={open} onZoom={show} />}
        </Load>
      )}
    </Page>
  );
}

/** The last day by groups, for the first page; nothing in it changes what is shown. */
export function DayTimeline() {
  const timeline = useResource<Timeline>('/timeline?range=24h', concernsTimeline);
  const lanes = timeline.data.value?.lanes ?? [];
  return (
    <Load from={timeline} what="The timeline" skeleton={<Skeleton rows={6} height={31} />}>
      {(data) => (
        <>
          <Chart
            timeline={data}
            lanes={lanes.slice(0, MOST_ON_HOME)}
            span={spanOf('24h', now.value)}
            assets={null}
            onToggle={null}
            onZoom={null}
          />
          {lanes.length > MOST_ON_HOME && (
            <p class="more-line">
              <a href="/timeline">{plural(lanes.length - MOST_ON_HOME, 'more group')}</a>
            </p>
          )}
        </>
      )}
    </Load>
  );
}

function Found({
  timeline,
  span,
  asTable,
  open,
  onZoom,
}: {
  timeline: Timeline;
  span: Span;
  asTable: boolean;
  open: readonly string[];
  onZoom: (span: Span) => void;
}) {
  const q = query('q');
  const lanes =
    q === ''
      ? timeline.lanes
      : timeline.lanes.filter(({ name, group }) => fuzzyScore(q, `${name} ${group ?? ''}`) !== null);
  if (timeline.lanes.length === 0) {
    return (
      <Empty icon="timeline" title="There is nothing to show a time of">
        No pipeline has an asset yet. See <a href="/problems">Problems</a> and <a href="/git">Git</a>.
      </Empty>
    );
  }
  if (lanes.length === 0) {
    return <Empty icon="search" title={`None of ${plural(timeline.lanes.length, 'lane')} matches “${q}”`} />;
  }
  const toggle = (group: string): void => {
    const next = open.includes(group) ? open.filter((one) => one !== group) : [...open, group];
    setQuery({ open: next.join(',') });
  };
  return (
    <>
      {asTable ? (
        <AsTable timeline={timeline} lanes={lanes} span={span} />
      ) : (
        <Chart
          timeline={timeline}
          lanes={lanes}
          span={span}
          assets={assets.data.value ?? []}
          onToggle={query('group') === '' ? toggle : null}
          onZoom={onZoom}
        />
      )}
      {timeline.lanes_left_out > 0 && (
        <p class="faint more-line">
          {plural(timeline.lanes_left_out, 'lane')} more: fold a group to see them, or choose one with{' '}
          <code>group=</code> in the address.
        </p>
      )}
      <Legend />
    </>
  );
}

/** Of the address: a time that was chosen and does not move. */
function fixedSpan(): Span | null {
  const [from, to] = [Date.parse(query('from')), Date.parse(query('to'))];
  return to > from ? { from, to } : null;
}

function pathOf(fixed: Span | null, range: RangeName, group: string, open: readonly string[]): string {
  const time =
    fixed === null
      ? `range=${range}`
      : `from=${segment(new Date(fixed.from).toISOString())}&to=${segment(new Date(fixed.to).toISOString())}`;
  return [
    `/timeline?${time}`,
    group !== '' && `group=${segment(group)}`,
    open.length > 0 && `open=${segment(open.join(','))}`,
  ]
    .filter((part) => part !== false)
    .join('&');
}
