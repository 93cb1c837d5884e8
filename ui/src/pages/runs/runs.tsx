import { useEffect, useState } from 'preact/hooks';
import type { RunSummary } from '../../../../src/server/contract/run.ts';
import { segment } from '../../api/client.ts';
import { Button, FilterBox, Segmented } from '../../components/controls.tsx';
import { Empty, Skeleton } from '../../components/feedback.tsx';
import { Load } from '../../components/load.tsx';
import { Page } from '../../components/page.tsx';
import { RunList } from '../../components/run-list.tsx';
import { plural } from '../../lib/format.ts';
import { fuzzyScore } from '../../lib/fuzzy.ts';
import type { ListPage } from '../../lib/list-page.ts';
import { causeText, runTitle } from '../../lib/run-text.ts';
import { navigate, query, runHref, setQuery } from '../../router.ts';
import { isRunEvent } from '../../state/concerns.ts';
import { instance } from '../../state/instance.ts';
import { rememberList } from '../../state/neighbours.ts';
import { useOlder } from '../../state/older.ts';
import { useResource } from '../../state/resource.ts';
import { BulkBar } from './bulk-bar.tsx';

const ANY = 'any';
const CHOICES = [
  { value: ANY, text: 'All', statuses: [] },
  { value: 'active', text: 'Active', statuses: ['QUEUED', 'STARTED', 'CANCELING'] },
  { value: 'failed', text: 'Failed', statuses: ['FAILURE'] },
  { value: 'succeeded', text: 'Succeeded', statuses: ['SUCCESS'] },
  { value: 'canceled', text: 'Canceled', statuses: ['CANCELED'] },
] as const;

/** Why a run is, in the words of its cause. */
const WHY = [
  { value: '', text: 'Any cause', kinds: null },
  { value: 'schedule', text: 'Schedule', kinds: /^schedule$/ },
  { value: 'automation', text: 'Automation', kinds: /^automation$/ },
  { value: 'backfill', text: 'Backfill', kinds: /^backfill$/ },
  { value: 'retry', text: 'Retry', kinds: /retry$/ },
  { value: 'person', text: 'Somebody', kinds: /^(page|cli|api)$/ },
] as const;
/** Values of the address that the service filters by. */
const NARROWED_BY = ['asset', 'pipeline', 'schedule', 'launch_id'] as const;

/** Runs, newest first; every filter is in the address. */
export function Runs() {
  const status = CHOICES.find(({ value }) => value === query('status')) ?? CHOICES[0];
  const narrowed = NARROWED_BY.filter((name) => query(name) !== '');
  const path = pathOf(status.statuses);
  const first = useResource<ListPage<RunSummary>>(path, isRunEvent);
  // They are of all runs: beside those of one asset they would say too much.
  const counts = narrowed.length > 0 ? undefined : instance.data.value?.counts.runs;
  const number = (statuses: readonly string[]): number | undefined =>
    counts === undefined || statuses.length === 0
      ? undefined
      : statuses.reduce((sum, one) => sum + (counts[one as keyof typeof counts] ?? 0), 0);
  return (
    <Page title="Runs" wide>
      <div class="toolbar">
        <FilterBox value={query('q')} placeholder="Filter runs" onInput={(q) => setQuery({ q })} />
        <Segmented
          label="Status"
          value={status.value}
          choices={CHOICES.map(({ value, text, statuses }) => {
            const count = number(statuses);
            return count === undefined ? { value, text } : { value, text, count };
          })}
          onChoose={(value) => setQuery({ status: value === ANY ? '' : value })}
        />
        <label class="select">
          <span class="sr-only">Cause</span>
          <select value={query('why')} onChange={(event) => setQuery({ why: event.currentTarget.value })}>
            {WHY.map(({ value, text }) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
        {narrowed.map((name) => (
          <Button key={name} icon="close" title={`Every ${name}`} onClick={() => setQuery({ [name]: '' })}>
            {query(name)}
          </Button>
        ))}
      </div>
      <Load from={first} what="Runs" skeleton={<Skeleton rows={12} />}>
        {(page) => (
          <Found key={path} path={path} page={page} filtered={status.value !== ANY || narrowed.length > 0} />
        )}
      </Load>
    </Page>
  );
}

function Found({ path, page, filtered }: { path: string; page: ListPage<RunSummary>; filtered: boolean }) {
  const q = query('q');
  const { all, hasMore, busy, more } = useOlder(
    path,
    page,
    ({ run_id }) => run_id,
    'Older runs could not be loaded',
  );
  const why = WHY.find(({ value }) => value === query('why'))?.kinds ?? null;
  const found = all
    .filter(({ cause }) => why?.test(cause.kind) ?? true)
    .filter((run) => q === '' || fuzzyScore(q, textOf(run)) !== null);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (runId: string): void => {
    const next = new Set(chosen);
    if (!next.delete(runId)) next.add(runId);
    setChosen(next);
  };
  useEffect(() => rememberList(found.map(({ run_id }) => runHref(run_id))), [found.length, path, q, why]);
  if (all.length === 0) return <NoRuns filtered={filtered} />;
  return (
    <>
      {found.length === 0 ? (
        <Empty
          icon="search"
          title={`None of ${hasMore ? 'the newest ' : ''}${plural(all.length, 'run')} matches`}
        >
          <Button onClick={() => setQuery({ q: '', why: '' })}>Show all of them</Button>
        </Empty>
      ) : (
        <RunList runs={found} label="Runs, newest first" selection={{ chosen, onToggle: toggle }} />
      )}
      {hasMore && (
        <p class="more-line">
          <Button busy={busy} onClick={() => void more()}>
            Older runs
          </Button>{' '}
          <span class="faint">{plural(all.length, 'run')} looked at</span>
        </p>
      )}
      <BulkBar
        chosen={found.filter(({ run_id }) => chosen.has(run_id))}
        onClear={() => setChosen(new Set())}
      />
    </>
  );
}

function NoRuns({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <Empty icon="runs" title="No such run">
        <Button onClick={() => navigate('/runs')}>Show all runs</Button>
      </Empty>
    );
  }
  return (
    <Empty icon="runs" title="Nothing has run yet">
      Materialize something from the <a href="/assets">assets</a>, or start a schedule under{' '}
      <a href="/automation">Automation</a>.
    </Empty>
  );
}

function pathOf(statuses: readonly string[]): string {
  return [
    '/runs?limit=50',
    ...(statuses.length === 0 ? [] : [`status=${statuses.join(',')}`]),
    ...NARROWED_BY.filter((name) => query(name) !== '').map((name) => `${name}=${segment(query(name))}`),
  ].join('&');
}

function textOf(run: RunSummary): string {
  return `${runTitle(run)} ${causeText(run.cause)} ${run.job_name} ${run.run_id} ${run.asset_keys.join(' ')} ${run.commits.map(({ commit }) => commit).join(' ')}`;
}
