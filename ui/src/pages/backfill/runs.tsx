import type { BackfillDetail, BackfillRun } from '../../../../src/server/contract/backfill.ts';
import { segment } from '../../api/client.ts';
import { Button, Segmented } from '../../components/controls.tsx';
import { Empty } from '../../components/feedback.tsx';
import { Load } from '../../components/load.tsx';
import { Section } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { Ago, Took } from '../../components/time.tsx';
import { count, listText, partitionText } from '../../lib/format.ts';
import type { ListPage } from '../../lib/list-page.ts';
import { runShown, type Shown } from '../../lib/status.ts';
import { query, runHref, setQuery } from '../../router.ts';
import { concernsBackfill } from '../../state/concerns.ts';
import { useOlder } from '../../state/older.ts';
import { useResource } from '../../state/resource.ts';

const LIMIT = 100;
const CHOICES = [
  { value: 'first', text: 'Failures first', statuses: '' },
  { value: 'failed', text: 'Failed', statuses: 'FAILURE' },
  { value: 'active', text: 'Running', statuses: 'STARTED,CANCELING' },
  { value: 'waiting', text: 'Queued', statuses: 'QUEUED' },
  { value: 'succeeded', text: 'Succeeded', statuses: 'SUCCESS' },
  { value: 'other', text: 'Canceled, skipped', statuses: 'CANCELED,SKIPPED' },
] as const;

export function BackfillRuns({ backfill }: { backfill: BackfillDetail }) {
  const choice = CHOICES.find(({ value }) => value === query('runs')) ?? CHOICES[0];
  const path = `/backfills/${segment(backfill.backfill_id)}/runs?limit=${LIMIT}`;
  return (
    <Section
      title="Runs"
      aside={
        <span class="count">
          {count(backfill.submitted)} of {count(backfill.runs)} submitted
        </span>
      }
    >
      <div class="toolbar">
        <Segmented
          label="Which runs"
          value={choice.value}
          choices={CHOICES}
          onChoose={(value) => setQuery({ runs: value === 'first' ? '' : value })}
        />
      </div>
      {choice.statuses === '' ? (
        <FailuresFirst key="first" id={backfill.backfill_id} path={path} />
      ) : (
        <Filtered key={choice.value} id={backfill.backfill_id} path={`${path}&status=${choice.statuses}`} />
      )}
    </Section>
  );
}

/** Two requests: what failed may lie anywhere among thousands. */
function FailuresFirst({ id, path }: { id: string; path: string }) {
  const failed = useResource<ListPage<BackfillRun>>(`${path}&status=FAILURE`, concernsBackfill(id));
  const others = useResource<ListPage<BackfillRun>>(
    `${path}&status=QUEUED,STARTED,CANCELING,SUCCESS,CANCELED,SKIPPED`,
    concernsBackfill(id),
  );
  return (
    <Load from={failed} what="Runs of the backfill">
      {(first) => (
        <Load from={others} what="Runs of the backfill">
          {(rest) => (
            <Table
              path={others.path}
              items={[...first.items, ...rest.items]}
              cursor={rest.next_cursor}
              note={first.next_cursor === null ? '' : `Only the first ${LIMIT} failures stand here`}
              none="No run has been submitted yet"
            />
          )}
        </Load>
      )}
    </Load>
  );
}

function Filtered({ id, path }: { id: string; path: string }) {
  const runs = useResource<ListPage<BackfillRun>>(path, concernsBackfill(id));
  return (
    <Load from={runs} what="Runs of the backfill">
      {(page) => (
        <Table
          path={path}
          items={page.items}
          cursor={page.next_cursor}
          note=""
          none="None of its runs is so"
        />
      )}
    </Load>
  );
}

function Table({
  path,
  items,
  cursor,
  note,
  none,
}: {
  path: string;
  items: readonly BackfillRun[];
  cursor: string | null;
  note: string;
  none: string;
}) {
  const first = { items, next_cursor: cursor };
  const { all, hasMore, busy, more } = useOlder(
    path,
    first,
    ({ item }) => item,
    'More runs could not be loaded',
  );
  if (all.length === 0) return <Empty icon="runs" title={none} />;
  return (
    <>
      {note !== '' && <p class="faint">{note}</p>}
      <div class="table-frame">
        <table class="table cards backfill-runs">
          <caption class="sr-only">Runs of this backfill</caption>
          <thead>
            <tr>
              <th scope="col">Status</th>
              <th scope="col">Partition</th>
              <th scope="col">Assets</th>
              <th scope="col">Started</th>
              <th scope="col" class="right">
                Took
              </th>
            </tr>
          </thead>
          <tbody>
            {all.map((run) => (
              <Row key={run.item} run={run} />
            ))}
          </tbody>
        </table>
      </div>
      {hasMore && (
        <p class="more-line">
          <Button busy={busy} onClick={() => void more()}>
            More runs
          </Button>
        </p>
      )}
    </>
  );
}

const SKIPPED: Shown = { tone: 'warn', text: 'Skipped' };

function Row({ run }: { run: BackfillRun }) {
  const partition = partitionText(run.partitions) ?? 'not partitioned';
  return (
    <tr data-row>
      <td class="cell-status">
        <Status shown={run.status === 'SKIPPED' ? SKIPPED : runShown(run.status)} />
      </td>
      <th scope="row" class="cell-what">
        {run.run_id === null ? (
          <span class="mono">{partition}</span>
        ) : (
          <a class="row-link" href={runHref(run.run_id)}>
            {partition}
          </a>
        )}
        {run.reason !== '' && (
          <span class={run.status === 'FAILURE' ? 'sub tone-text-bad' : 'sub'}>
            <bdi>{run.reason}</bdi>
          </span>
        )}
      </th>
      <td data-label="Assets" class="mono" title={run.asset_keys.join('\n')}>
        <bdi>{listText(run.asset_keys)}</bdi>
      </td>
      <td data-label="Started">
        {run.started_at === null ? <span class="faint">–</span> : <Ago at={run.started_at} />}
      </td>
      <td data-label="Took" class="right">
        <Took from={run.started_at} to={run.ended_at} />
      </td>
    </tr>
  );
}
