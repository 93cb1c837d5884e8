import type { RunSummary } from '../../../../src/server/contract/run.ts';
import { Button } from '../../components/controls.tsx';
import { Skeleton } from '../../components/feedback.tsx';
import { Icon } from '../../components/icon.tsx';
import { Lazy } from '../../components/lazy.tsx';
import { Load } from '../../components/load.tsx';
import { Page, Section } from '../../components/page.tsx';
import { RunList } from '../../components/run-list.tsx';
import { Glyph } from '../../components/status.tsx';
import { Ago } from '../../components/time.tsx';
import { isActive } from '../../lib/status.ts';
import { assets } from '../../state/assets.ts';
import { concernsAssets, isRunEvent } from '../../state/concerns.ts';
import { components, instance } from '../../state/instance.ts';
import { requestLaunch } from '../../state/launch-request.ts';
import { type Resource, useResource } from '../../state/resource.ts';
import { type Attention, attention } from './attention.ts';
import { Groups } from './groups.tsx';
import { NextTicks } from './next-ticks.tsx';
import { SyncCard } from './sync-card.tsx';

const MOST_RUNNING = 10;
const STARTED = ['STARTED', 'CANCELING'] as const;
const ACTIVE = [...STARTED, 'QUEUED'] as const;

interface RunPage {
  readonly items: RunSummary[];
  readonly next_cursor: string | null;
}

/** What needs somebody first; then what runs and ran, what was synced, what comes next. */
export function Home() {
  useResource('/assets', concernsAssets);
  const runs = useResource<RunPage>('/runs?limit=30', isRunEvent);
  // All at once: what came first would be pushed down by what comes above it.
  const isKnown = [assets, components, instance, runs].every(
    ({ data, error }) => data.value !== undefined || error.value !== undefined,
  );
  return (
    <Page title="Home" wide actions={<MaterializeAll />}>
      <div class="home">
        <div class="home-main">
          {isKnown ? (
            <>
              <NeedsAttention runs={runs} />
              <Load from={runs} what="Runs" skeleton={<Skeleton rows={3} />}>
                {({ items }) => <Running runs={items} />}
              </Load>
              <Day />
            </>
          ) : (
            <Skeleton rows={10} />
          )}
        </div>
        <div class="home-side">
          {isKnown && (
            <>
              <SyncCard />
              <NextTicks />
              <Groups />
            </>
          )}
        </div>
      </div>
    </Page>
  );
}

function MaterializeAll() {
  return (
    <Button kind="primary" icon="play" onClick={() => requestLaunch({ kind: 'all' })}>
      Materialize all…
    </Button>
  );
}

function NeedsAttention({ runs }: { runs: Resource<RunPage> }) {
  const list = assets.data.value;
  const sources = components.data.value;
  const recent = runs.data.value;
  const service = instance.data.value;
  if (list === undefined || sources === undefined || recent === undefined || service === undefined)
    return null;
  const items = attention(list, recent.items, sources, service);
  if (items.length === 0) return <AllWell number={list.length} />;
  return (
    <Section title="Needs attention" aside={<span class="count">{items.length}</span>}>
      <ul class="attention">
        {items.slice(0, 8).map((item) => (
          <Item key={item.id} item={item} />
        ))}
      </ul>
      {items.length > 8 && <p class="faint more-line">and {items.length - 8} more</p>}
    </Section>
  );
}

function Item({ item }: { item: Attention }) {
  return (
    <li class={`attention-item tone-${item.tone}`} data-row>
      <Glyph tone={item.tone} />
      <div class="attention-body">
        <p class="attention-title">
          <bdi>{item.title}</bdi>
          {item.at !== null && (
            <span class="faint">
              <Ago at={item.at} />
            </span>
          )}
        </p>
        <p class="attention-text">
          <bdi>{item.text}</bdi>
        </p>
      </div>
      {typeof item.href === 'string' ? (
        <a class="button" href={item.href}>
          {item.action}
          <Icon name="chevron" size={12} />
        </a>
      ) : (
        <button type="button" class="button" onClick={item.href}>
          {item.action}
        </button>
      )}
    </li>
  );
}

function AllWell({ number }: { number: number }) {
  if (number === 0) return null;
  return (
    <p class="all-well">
      <Glyph tone="ok" /> Nothing needs you. {number} assets, no failed run, no problem.
    </p>
  );
}

/** @param runs the newest: one that runs for long can be behind them */
function Running({ runs }: { runs: readonly RunSummary[] }) {
  const found = runs.filter(({ status }) => isActive(status));
  const counts = instance.data.value?.counts.runs;
  const number =
    counts === undefined ? found.length : ACTIVE.reduce((sum, one) => sum + (counts[one] ?? 0), 0);
  const all = useResource<RunPage>(
    number > found.length ? `/runs?status=${STARTED.join(',')}&limit=${MOST_RUNNING}` : null,
    isRunEvent,
  );
  const active = [...found, ...(all.data.value?.items ?? [])]
    .filter((run, index, each) => each.findIndex((one) => one.run_id === run.run_id) === index)
    .toSorted((a, b) => Number(a.status === 'QUEUED') - Number(b.status === 'QUEUED'));
  if (active.length === 0) return null;
  return (
    <Section
      title="Running now"
      aside={
        <>
          <span class="count">{Math.max(number, active.length)}</span> <a href="/runs?status=active">Runs</a>
        </>
      }
    >
      <RunList runs={active.slice(0, MOST_RUNNING)} label="Running now" without={['commit']} />
    </Section>
  );
}

/** Of the whole day, group by group; a page of its own has the rest. */
function Day() {
  if (assets.data.value?.length === 0) return null;
  return (
    <Section title="Last 24 hours" aside={<a href="/timeline">Timeline</a>}>
      <Lazy
        name="day"
        load={() => import('../timeline/timeline.tsx').then((m) => m.DayTimeline)}
        props={{}}
      />
    </Section>
  );
}
