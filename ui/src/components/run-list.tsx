import type { RunSummary } from '../../../src/server/contract/run.ts';
import { partitionText } from '../lib/format.ts';
import { runSubject, runTitle } from '../lib/run-text.ts';
import { isActive, runShown } from '../lib/status.ts';
import { runHref } from '../router.ts';
import { Cause, Commits } from './links.tsx';
import { Status } from './status.tsx';
import { Ago, Took } from './time.tsx';

/** Which runs of a list are chosen. */
export interface RunSelection {
  readonly chosen: ReadonlySet<string>;
  readonly onToggle: (runId: string) => void;
}

/** Runs as a table; cards on a phone (the style sheet turns the cells). */
export function RunList({
  runs,
  label,
  without = [],
  selection = null,
}: {
  runs: readonly RunSummary[];
  label: string;
  without?: readonly ('commit' | 'cause')[];
  /** Null: nothing can be done with several. */
  selection?: RunSelection | null;
}) {
  const commit = !without.includes('commit');
  const cause = !without.includes('cause');
  const longest = Math.max(1, ...runs.map(({ seconds }) => seconds ?? 0));
  return (
    <div class="table-frame">
      <table class="table run-table">
        <caption class="sr-only">{label}</caption>
        <thead>
          <tr>
            {selection !== null && (
              <th scope="col" class="col-box">
                <span class="sr-only">Selected</span>
              </th>
            )}
            <th scope="col" class="col-status">
              Status
            </th>
            <th scope="col">What</th>
            <th scope="col" class="col-partition">
              Partition
            </th>
            {cause && (
              <th scope="col" class="col-cause">
                Why
              </th>
            )}
            {commit && (
              <th scope="col" class="col-commit">
                Commit
              </th>
            )}
            <th scope="col" class="col-at">
              Started
            </th>
            <th scope="col" class="col-took right">
              Took
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <Row
              key={run.run_id}
              run={run}
              cause={cause}
              commit={commit}
              longest={longest}
              selection={selection}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({
  run,
  cause,
  commit,
  longest,
  selection,
}: {
  run: RunSummary;
  cause: boolean;
  commit: boolean;
  /** Seconds of the longest run of the list. */
  longest: number;
  selection: RunSelection | null;
}) {
  const partition = partitionText(run.partitions);
  const isChosen = selection?.chosen.has(run.run_id) ?? false;
  return (
    <tr data-row class={isChosen ? 'selected' : undefined}>
      {selection !== null && (
        <td class="cell-box">
          <input
            type="checkbox"
            aria-label={`Select ${runTitle(run)}`}
            title="Select  x"
            checked={isChosen}
            onChange={() => selection.onToggle(run.run_id)}
          />
        </td>
      )}
      <td class="cell-status">
        <Status shown={runShown(run.status)} />
      </td>
      <th scope="row" class="cell-what">
        <a class="row-link" href={runHref(run.run_id)} title={run.asset_keys.slice(0, 20).join('\n')}>
          <bdi>{runSubject(run)}</bdi>
        </a>
        <Sub run={run} />
      </th>
      <td class="cell-partition">
        {partition === null ? <span class="faint">–</span> : <span class="mono">{partition}</span>}
      </td>
      {cause && (
        <td class="cell-cause">
          <Cause cause={run.cause} />
        </td>
      )}
      {commit && (
        <td class="cell-commit">
          <Commits commits={run.commits} />
        </td>
      )}
      <td class="cell-at">
        <Ago at={run.started_at ?? run.created_at} />
      </td>
      <td class="cell-took right">
        <Took from={run.started_at} to={run.ended_at} />
        {run.seconds !== null && (
          <i
            class={`took-bar tone-${runShown(run.status).tone}`}
            style={{ width: `${Math.max(2, (run.seconds / longest) * 100)}%` }}
          />
        )}
      </td>
    </tr>
  );
}

/** Under the name: the cause of a failure, the progress of what runs. */
function Sub({ run }: { run: RunSummary }) {
  if (run.status === 'FAILURE' && run.error !== null) {
    return (
      <span class="sub tone-text-bad">
        <bdi>{run.error.message}</bdi>
      </span>
    );
  }
  if (isActive(run.status) && run.steps.total > 0) {
    return (
      <span class="sub progress-sub">
        <span class="meter" aria-hidden="true">
          <i style={{ width: `${(run.steps.succeeded / run.steps.total) * 100}%` }} />
        </span>
        {run.steps.succeeded} of {run.steps.total} steps
      </span>
    );
  }
  return null;
}
