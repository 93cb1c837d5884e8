import { useEffect } from 'preact/hooks';
import type { Backfill } from '../../../../src/server/contract/backfill.ts';
import { segment } from '../../api/client.ts';
import { Button, Segmented } from '../../components/controls.tsx';
import { Empty, Skeleton } from '../../components/feedback.tsx';
import { Cause } from '../../components/links.tsx';
import { Load } from '../../components/load.tsx';
import { Page } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { Ago } from '../../components/time.tsx';
import { listText } from '../../lib/format.ts';
import type { ListPage } from '../../lib/list-page.ts';
import { backfillShown } from '../../lib/status.ts';
import { backfillHref, query, setQuery } from '../../router.ts';
import { isBackfillEvent } from '../../state/concerns.ts';
import { rememberList } from '../../state/neighbours.ts';
import { useOlder } from '../../state/older.ts';
import { useResource } from '../../state/resource.ts';
import { BackfillActions } from './backfill-actions.tsx';
import { askedText, End, ProgressBar } from './progress.tsx';

const ANY = 'any';
const CHOICES = [
  { value: ANY, text: 'All', statuses: '' },
  { value: 'active', text: 'Active', statuses: 'REQUESTED,PAUSED,CANCELING' },
  { value: 'failed', text: 'Failed', statuses: 'COMPLETED_FAILED' },
  { value: 'succeeded', text: 'Succeeded', statuses: 'COMPLETED_SUCCESS' },
  { value: 'canceled', text: 'Canceled', statuses: 'CANCELED' },
] as const;

export function Backfills() {
  const status = CHOICES.find(({ value }) => value === query('status')) ?? CHOICES[0];
  const asset = query('asset');
  const path = [
    '/backfills?limit=50',
    ...(status.statuses === '' ? [] : [`status=${status.statuses}`]),
    ...(asset === '' ? [] : [`asset=${segment(asset)}`]),
  ].join('&');
  const first = useResource<ListPage<Backfill>>(path, isBackfillEvent);
  return (
    <Page title="Backfills" wide>
      <div class="toolbar">
        <Segmented
          label="Status"
          value={status.value}
          choices={CHOICES}
          onChoose={(value) => setQuery({ status: value === ANY ? '' : value })}
        />
        {asset !== '' && (
          <Button icon="close" onClick={() => setQuery({ asset: '' })}>
            {asset}
          </Button>
        )}
      </div>
      <Load from={first} what="Backfills" skeleton={<Skeleton rows={8} height={56} />}>
        {(page) => (
          <Found key={path} path={path} page={page} filtered={status.value !== ANY || asset !== ''} />
        )}
      </Load>
    </Page>
  );
}

function Found({ path, page, filtered }: { path: string; page: ListPage<Backfill>; filtered: boolean }) {
  const { all, hasMore, busy, more } = useOlder(
    path,
    page,
    ({ backfill_id }) => backfill_id,
    'Older backfills could not be loaded',
  );
  useEffect(() => rememberList(all.map(({ backfill_id }) => backfillHref(backfill_id))), [all.length, path]);
  if (all.length === 0) return <None filtered={filtered} />;
  return (
    <>
      <div class="table-frame">
        <table class="table cards backfill-table">
          <caption class="sr-only">Backfills, newest first</caption>
          <thead>
            <tr>
              <th scope="col">Status</th>
              <th scope="col">What</th>
              <th scope="col">Partitions</th>
              <th scope="col">Who</th>
              <th scope="col">Started</th>
              <th scope="col">Took, or ends</th>
              <th scope="col">
                <span class="sr-only">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {all.map((one) => (
              <Row key={one.backfill_id} one={one} />
            ))}
          </tbody>
        </table>
      </div>
      {hasMore && (
        <p class="more-line">
          <Button busy={busy} onClick={() => void more()}>
            Older backfills
          </Button>
        </p>
      )}
    </>
  );
}

function Row({ one }: { one: Backfill }) {
  return (
    <tr data-row>
      <td class="cell-status">
        <Status shown={backfillShown(one.status)} />
      </td>
      <th scope="row" class="cell-what">
        <a
          class="row-link"
          href={backfillHref(one.backfill_id)}
          title={one.asset_keys.slice(0, 20).join('\n')}
        >
          <bdi>{listText(one.asset_keys)}</bdi>
        </a>
        <span class={one.status === 'COMPLETED_FAILED' ? 'sub tone-text-bad' : 'sub'}>
          <bdi>{one.reason === '' ? askedText(one) : one.reason}</bdi>
        </span>
      </th>
      <td data-label="Partitions" class="cell-progress">
        <ProgressBar counts={one.counts} />
        {one.counts.failed > 0 && one.ended_at === null && (
          <span class="sub tone-text-bad num">{one.counts.failed} failed</span>
        )}
      </td>
      <td data-label="Who">
        <Cause cause={one.cause} />
      </td>
      <td data-label="Started">
        <Ago at={one.created_at} />
      </td>
      <td data-label={one.ended_at === null ? 'Ends' : 'Took'}>
        <End of={one} />
      </td>
      <td class="right cell-actions">
        <BackfillActions of={one} compact />
      </td>
    </tr>
  );
}

function None({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <Empty icon="backfills" title="No backfill passes these filters">
        <Button onClick={() => setQuery({ status: '', asset: '' })}>Show all backfills</Button>
      </Empty>
    );
  }
  return (
    <Empty icon="backfills" title="No backfill yet">
      Open a partitioned <a href="/assets">asset</a> and choose <strong>Backfill…</strong>, or drag over its
      partitions. On the command line: <code>elt backfill &lt;asset&gt; --missing --failed</code>
    </Empty>
  );
}
