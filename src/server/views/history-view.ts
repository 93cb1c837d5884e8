import { fieldsOfPipeline } from '../../state/diff.ts';
import type {
  PartitionFactsRow,
  PipelineRevisionRow,
  RunMarkRow,
  WriteRow,
} from '../../store/history-store.ts';
import type { PartitionDetail, PipelineHistory, PlotPoint, RunMark } from '../contract/history.ts';
import { materializationView } from './asset-view.ts';
import { fieldChangeView, revisionView } from './component-view.ts';
import { linkOf, timestamp, type ViewContext } from './view-context.ts';

/** Names that every runner uses, in the order in which people ask for them. */
const KNOWN = ['rows', 'bytes', 'seconds', 'rows_per_second'];
/** A script can report what it likes; so many of its numbers are plotted. */
const MOST_NAMES = 24;
const RUNS_SHOWN = 20;

export function partitionDetail(key: string, row: PartitionFactsRow | null): PartitionDetail {
  return {
    key,
    status: row?.status ?? 'missing',
    materialization: row?.written == null ? null : materializationView(row.written),
    run: row?.run == null ? null : runMarkView(row.run),
  };
}

export function runMarkView(run: RunMarkRow): RunMark {
  return {
    run_id: run.runId,
    status: run.status,
    at: timestamp(run.endedAt ?? run.startedAt ?? run.createdAt),
    seconds: secondsOf(run),
  };
}

export function plotPoint(write: WriteRow): PlotPoint {
  const numbers = Object.entries(write.metadata).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number' && Number.isFinite(entry[1]),
  );
  return {
    event_id: write.eventId,
    at: timestamp(write.at),
    partition: write.partition,
    partitions: write.partitions,
    run_id: write.run.runId,
    commit: write.commit,
    values: Object.fromEntries(numbers),
    run_seconds: secondsOf(write.run),
  };
}

/** The place of a partition that was never written. */
export function plotGap(partition: string): PlotPoint {
  return {
    event_id: null,
    at: null,
    partition,
    partitions: 1,
    run_id: null,
    commit: null,
    values: {},
    run_seconds: null,
  };
}

export function plotNames(points: readonly PlotPoint[]): string[] {
  const names = new Set(points.flatMap(({ values }) => Object.keys(values)));
  const known = KNOWN.filter((name) => names.has(name));
  const others = [...names].filter((name) => !KNOWN.includes(name)).sort();
  return [...known, ...others].slice(0, MOST_NAMES);
}

export function pipelineHistory(
  context: ViewContext,
  rows: readonly PipelineRevisionRow[],
  runs: ReadonlyMap<string, readonly RunMarkRow[]>,
): PipelineHistory {
  const items = rows.map(({ revision, state }, index) => {
    const before = rows[index + 1]?.state;
    const own = runs.get(state.code.commit) ?? [];
    // A folder that was held and is current again runs the same commit: its runs stand at the newest.
    const isNewest = rows.findIndex((row) => row.state.code.commit === state.code.commit) === index;
    const shown = isNewest ? own : [];
    return {
      revision: revisionView(context, revision),
      commit: state.code.commit,
      commit_url: linkOf(context, revision.component, { commit: state.code.commit }),
      status: state.status,
      first: before === undefined,
      fields: before === undefined ? [] : fieldsOfPipeline(before, state).map(fieldChangeView),
      runs: shown.slice(0, RUNS_SHOWN).map(runMarkView),
      run_count: shown.length,
      failed_count: shown.filter(({ status }) => status === 'FAILURE').length,
    };
  });
  return { items };
}

function secondsOf({ startedAt, endedAt }: RunMarkRow): number | null {
  return startedAt === null || endedAt === null ? null : (endedAt - startedAt) / 1000;
}
