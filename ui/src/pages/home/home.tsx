import type { RunSummary } from '../../../../src/server/contract/run.ts';
import { Button } from '../../components/controls.tsx';
import { Empty, Skeleton } from '../../components/feedback.tsx';
import { Icon } from '../../components/icon.tsx';
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

interface RunPage {
  readonly items: RunSummary[];
  readonly next_cursor: string | null;
}

/** What needs somebody first; then what runs, what was synced, what comes next. */
export function Home() {
  useResource('/assets', concernsAssets);
  const runs = useResource<RunPage>('/runs?limit=30', isRunEvent);
  return (
    <Page title="Home" heading="Home" actions={<MaterializeAll />}>
      <div class="home">
        <div class="home-main">
          <NeedsAttention runs={runs} />
          <Load from={runs} what="Runs" skeleton={<Skeleton rows={6} />}>
            {({ items }) => <Recent runs={items} />}
          </Load>
        </div>
        <div class="home-side">
          <SyncCard />
          <NextTicks />
          <Groups />
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
  if (list === undefined || sources === undefined || recent === undefined) return null;
  const items = attention(list, recent.items, sources, instance.data.value);
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
      <a class="button" href={item.href}>
        {item.action}
        <Icon name="chevron" size={12} />
      </a>
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

function Recent({ runs }: { runs: readonly RunSummary[] }) {
  const active = runs.filter(({ status }) => isActive(status));
  const ended = runs.filter(({ status }) => !isActive(status)).slice(0, 10);
  return (
    <>
      {active.length > 0 && (
        <Section title="Running now" aside={<span class="count">{active.length}</span>}>
          <RunList runs={active} label="Running now" without={['commit']} />
        </Section>
      )}
      <Section title="Recent runs" aside={<a href="/runs">All runs</a>}>
        {ended.length === 0 ? (
          <Empty icon="runs" title="No run has ended yet">
            Materialize an asset, or wait for the next tick.
          </Empty>
        ) : (
          <RunList runs={ended} label="Recent runs" without={['commit']} />
        )}
      </Section>
    </>
  );
}
