import { useEffect } from 'preact/hooks';
import type { RunSummary } from '../../../../src/server/contract/run.ts';
import { segment } from '../../api/client.ts';
import { Button, FilterBox, Segmented } from '../../components/controls.tsx';
import { Empty, Skeleton } from '../../components/feedback.tsx';
import { Load } from '../../components/load.tsx';
import { Page } from '../../components/page.tsx';
import { RunList } from '../../components/run-list.tsx';
import { plural } from '../../lib/format.ts';
import { fuzzyScore } from '../../lib/fuzzy.ts';
import { causeText, runTitle } from '../../lib/run-text.ts';
import { query, runHref, setQuery } from '../../router.ts';
import { isRunEvent } from '../../state/concerns.ts';
import { instance } from '../../state/instance.ts';
import { rememberList } from '../../state/neighbours.ts';
import { type ListPage, useOlder } from '../../state/older.ts';
import { useResource } from '../../state/resource.ts';

const ANY = 'any';
const CHOICES = [
  { value: ANY, text: 'All', statuses: [] },
  { value: 'active', text: 'Active', statuses: ['QUEUED', 'STARTED', 'CANCELING'] },
  { value: 'failed', text: 'Failed', statuses: ['FAILURE'] },
  { value: 'succeeded', text: 'Succeeded', statuses: ['SUCCESS'] },
  { value: 'canceled', text: 'Canceled', statuses: ['CANCELED'] },
] as const;

export function Runs() {
  const status = CHOICES.find(({ value }) => value === query('status')) ?? CHOICES[0];
  const path = pathOf(status.statuses, query('pipeline'), query('schedule'));
  const first = useResource<ListPage<RunSummary>>(path, isRunEvent);
  const counts = instance.data.value?.counts.runs;
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
        {(query('pipeline') !== '' || query('schedule') !== '') && (
          <Button icon="close" onClick={() => setQuery({ pipeline: '', schedule: '' })}>
            {query('pipeline') || query('schedule')}
          </Button>
        )}
      </div>
      <Load from={first} what="Runs" skeleton={<Skeleton rows={12} />}>
        {(page) => <Found key={path} path={path} page={page} filtered={status.value !== ANY} />}
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
  const found = q === '' ? all : all.filter((run) => fuzzyScore(q, textOf(run)) !== null);
  useEffect(() => rememberList(found.map(({ run_id }) => runHref(run_id))), [found.length, path, q]);
  if (all.length === 0) return <NoRuns filtered={filtered} />;
  return (
    <>
      {found.length === 0 ? (
        <Empty icon="search" title={`None of ${plural(all.length, 'run')} matches “${q}”`} />
      ) : (
        <RunList runs={found} label="Runs, newest first" />
      )}
      {hasMore && (
        <p class="more-line">
          <Button busy={busy} onClick={() => void more()}>
            Older runs
          </Button>
        </p>
      )}
    </>
  );
}

function NoRuns({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <Empty icon="runs" title="No run with this status">
        <Button onClick={() => setQuery({ status: '' })}>Show all runs</Button>
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

function pathOf(statuses: readonly string[], pipeline: string, schedule: string): string {
  return [
    '/runs?limit=50',
    statuses.length > 0 && `status=${statuses.join(',')}`,
    pipeline !== '' && `pipeline=${segment(pipeline)}`,
    schedule !== '' && `schedule=${segment(schedule)}`,
  ]
    .filter((part) => part !== false)
    .join('&');
}

function textOf(run: RunSummary): string {
  return `${runTitle(run)} ${causeText(run.cause)} ${run.job_name} ${run.run_id} ${run.asset_keys.join(' ')} ${run.commits.map(({ commit }) => commit).join(' ')}`;
}
