import { setImmediate as others } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';
import type { RunStatus, StepStatus } from '../../events/run-state.ts';
import { uuidv7Floor } from '../../lib/ids.ts';
import type {
  LaneActivity,
  TimelineBar,
  TimelineColumn,
  TimelineQuery,
  TimelineStatus,
  TimelineStore,
} from '../timeline-store.ts';
import type { StoreContext } from './context.ts';
import { fromJson } from './json.ts';
import type { StoredSummary } from './launches.ts';
import { UNFINISHED } from './runs.ts';

/** Runs that one statement reads: some 50 ms of work at most. */
const RUNS_AT_ONCE = 20_000;
/**
 * Ids tell when a run was planned, numbers in which order runs were recorded: of one millisecond, and of launches that were
 * recorded a moment later, they differ. Around an edge so many are looked at; the exact times are held by the statement.
 */
const EDGE_MS = 60_000;
const EDGE_RUNS = 500;
/** Of runs that began before the window and reach into it; nobody has more under way. */
const MOST_SPANNING = 10_000;

const STATUSES: Readonly<Record<RunStatus | StepStatus, TimelineStatus>> = {
  QUEUED: 'queued',
  STARTED: 'running',
  CANCELING: 'running',
  SUCCESS: 'succeeded',
  FAILURE: 'failed',
  CANCELED: 'canceled',
  waiting: 'queued',
  dispatched: 'running',
  running: 'running',
  attempt_failed: 'running',
  retry_wait: 'running',
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'canceled',
  skipped: 'skipped',
};

interface Part {
  /** `[asset id, lane]` of every asset, as JSON. */
  readonly lanes: string;
  readonly by: 'runs' | 'steps';
}

interface CountRow {
  readonly lane: number;
  readonly at: number;
  readonly status: RunStatus | StepStatus;
  readonly n: number;
}

interface BarRow {
  readonly lane: number;
  readonly run_id: string;
  readonly status: RunStatus | StepStatus;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly summary: string;
  readonly n: number;
}

/** Which runs a statement looks at: `run_asset` is ordered by asset, then run, so that each is one walk of that index. */
type RunSet = { readonly first: number; readonly last: number } | { readonly numbers: string };

export function createTimelineStore(context: StoreContext): TimelineStore {
  return {
    async activity(query) {
      const pairs = await lanePairs(context, query);
      const number = query.lanes.length + (query.withRest ? 1 : 0);
      const sets = await runSets(context, query);
      const counts = Array.from({ length: number }, () => new Map<number, Map<TimelineStatus, number>>());
      for (const part of partsOf(query, pairs, () => true)) {
        for (const set of sets) {
          for (const row of await countRows(context, query, part, set)) add(counts[row.lane], row, query);
          await others();
        }
      }
      const sums = counts.map(sumOf);
      const bars = Array.from({ length: number }, (): TimelineBar[] => []);
      const few = (lane: number): boolean =>
        (sums[lane]?.runs ?? 0) > 0 && sums[lane]!.runs <= query.mostBars;
      for (const part of partsOf(query, pairs, few)) {
        for (const set of sets) {
          for (const row of await barRows(context, query, part, set)) bars[row.lane]?.push(toBar(row));
        }
      }
      return sums.map((sum, lane): LaneActivity => {
        if (sum.runs > query.mostBars) return { ...sum, bars: null, columns: columnsOf(counts[lane]!) };
        // A run can have begun between the two looks.
        const own = bars[lane]!.sort((a, b) => a.createdAt - b.createdAt);
        return { ...sum, bars: own, columns: null };
      });
    },
  };
}

/** Asset ids with their lane; with the rest, those of no lane in the last one. */
async function lanePairs({ db }: StoreContext, query: TimelineQuery): Promise<[number, number][]> {
  const lanesOf = new Map<string, number[]>();
  for (const [lane, { assetKeys }] of query.lanes.entries()) {
    for (const key of assetKeys) lanesOf.set(key, [...(lanesOf.get(key) ?? []), lane]);
  }
  const rest = query.withRest ? [query.lanes.length] : [];
  const rows = await db.selectFrom('asset').select(['asset_id', 'key']).execute();
  return rows.flatMap(({ asset_id, key }) =>
    (lanesOf.get(key) ?? rest).map((lane): [number, number] => [asset_id, lane]),
  );
}

function partsOf(
  query: TimelineQuery,
  pairs: readonly (readonly [number, number])[],
  wanted: (lane: number) => boolean,
): Part[] {
  return (['runs', 'steps'] as const).flatMap((by) => {
    const own = pairs.filter(([, lane]) => (query.lanes[lane]?.by ?? 'runs') === by && wanted(lane));
    return own.length === 0 ? [] : [{ by, lanes: JSON.stringify(own) }];
  });
}

/** The runs of the window by their numbers, in pieces; and the older ones that reach into it. */
async function runSets(context: StoreContext, { from, to }: TimelineQuery): Promise<RunSet[]> {
  const { db } = context;
  const last = await db
    .selectFrom(
      db
        .selectFrom('run')
        .select('run_no')
        .where('run_id', '<', uuidv7Floor(to + EDGE_MS))
        .orderBy('run_id', 'desc')
        .limit(EDGE_RUNS)
        .as('newest'),
    )
    .select((eb) => eb.fn.max('run_no').as('run_no'))
    .executeTakeFirst();
  if (last?.run_no == null) return [];
  const oldest = await db
    .selectFrom(
      db
        .selectFrom('run')
        .select('run_no')
        .where('run_id', '>=', uuidv7Floor(from - EDGE_MS))
        .orderBy('run_id')
        .limit(EDGE_RUNS)
        .as('oldest'),
    )
    .select((eb) => eb.fn.min('run_no').as('run_no'))
    .executeTakeFirst();
  const first = oldest?.run_no ?? last.run_no + 1;
  const spanning = await spanningRuns(context, from, first);
  const sets: RunSet[] = spanning.length === 0 ? [] : [{ numbers: JSON.stringify(spanning) }];
  for (let at = first; at <= last.run_no; at += RUNS_AT_ONCE) {
    sets.push({ first: at, last: Math.min(last.run_no, at + RUNS_AT_ONCE - 1) });
  }
  return sets;
}

/** Runs before `first` that had not ended at `from`. */
async function spanningRuns({ db }: StoreContext, from: number, first: number): Promise<number[]> {
  const [unfinished, ended] = await Promise.all([
    db
      .selectFrom('run')
      .select('run_no')
      .where('status', 'in', UNFINISHED)
      .where('run_no', '<', first)
      .limit(MOST_SPANNING)
      .execute(),
    // By the index on the end of runs, which has their numbers too.
    db
      .selectFrom('run')
      .select('run_no')
      .where('ended_at', '>=', from)
      .where('pruned', '=', 0)
      .where('run_no', '<', first)
      .limit(MOST_SPANNING)
      .execute(),
  ]);
  return [...new Set([...unfinished, ...ended].map(({ run_no }) => run_no))];
}

async function countRows(
  { db }: StoreContext,
  query: TimelineQuery,
  part: Part,
  set: RunSet,
): Promise<readonly CountRow[]> {
  const width = columnWidth(query);
  const { rows } = await sql<CountRow>`
    ${withLanes(part)}
    select lane.lane, cast((${begun(part)} - ${query.from}) / ${width} as integer) as at, ${status(part)} as status,
      count(distinct run.run_no) as n
    ${source(part, set)} and ${inWindow(query)}
    group by 1, 2, 3`.execute(db);
  return rows;
}

async function barRows(
  { db }: StoreContext,
  query: TimelineQuery,
  part: Part,
  set: RunSet,
): Promise<readonly BarRow[]> {
  const [started, ended] =
    part.by === 'runs'
      ? [sql.ref('run.started_at'), sql.ref('run.ended_at')]
      : [sql`coalesce(run_step.started_at, run_step.dispatched_at)`, sql.ref('run_step.ended_at')];
  const { rows } = await sql<BarRow>`
    ${withLanes(part)}
    select lane.lane, run.run_id, ${status(part)} as status, run.created_at, ${started} as started_at,
      coalesce(${ended}, run.ended_at) as ended_at, run.summary, count(*) as n
    ${source(part, set)} and ${inWindow(query)}
    group by lane.lane, run.run_no`.execute(db);
  return rows;
}

function withLanes({ lanes }: Part): RawBuilder<unknown> {
  return sql`with lane (asset_id, lane) as materialized
    (select value ->> 0, value ->> 1 from json_each(${lanes}))`;
}

function source({ by }: Part, set: RunSet): RawBuilder<unknown> {
  const wanted =
    'numbers' in set
      ? sql`run_asset.run_no in (select value from json_each(${set.numbers}))`
      : sql`run_asset.run_no between ${set.first} and ${set.last}`;
  const steps =
    by === 'runs'
      ? sql``
      : sql`join step_asset on step_asset.run_no = run.run_no and step_asset.asset_id = run_asset.asset_id
        join run_step on run_step.run_no = run.run_no and run_step.step_key = step_asset.step_key`;
  // Cross joins keep the order: lane by lane along `run_asset`, never run by run.
  return sql`from lane cross join run_asset on run_asset.asset_id = lane.asset_id and ${wanted}
    cross join run on run.run_no = run_asset.run_no ${steps} where true`;
}

function status({ by }: Part): RawBuilder<unknown> {
  return sql.ref(by === 'runs' ? 'run.status' : 'run_step.status');
}

/** When it began; a step that never did stands where its run ended. */
function begun({ by }: Part): RawBuilder<unknown> {
  return by === 'runs'
    ? sql`coalesce(run.started_at, run.created_at)`
    : sql`coalesce(run_step.started_at, run_step.dispatched_at, run.ended_at, run.created_at)`;
}

function inWindow({ from, to }: TimelineQuery): RawBuilder<unknown> {
  return sql`run.created_at < ${to} and (run.ended_at is null or run.ended_at >= ${from})`;
}

function columnWidth({ from, to, columns }: TimelineQuery): number {
  return Math.max(1, Math.ceil((to - from) / columns));
}

function add(
  lane: Map<number, Map<TimelineStatus, number>> | undefined,
  row: CountRow,
  { columns }: TimelineQuery,
): void {
  const at = Math.max(0, Math.min(columns - 1, row.at));
  const counts = lane?.get(at) ?? new Map<TimelineStatus, number>();
  const name = STATUSES[row.status];
  counts.set(name, (counts.get(name) ?? 0) + row.n);
  lane?.set(at, counts);
}

function sumOf(lane: ReadonlyMap<number, ReadonlyMap<TimelineStatus, number>>): {
  runs: number;
  failed: number;
} {
  let [runs, failed] = [0, 0];
  for (const counts of lane.values()) {
    for (const n of counts.values()) runs += n;
    failed += counts.get('failed') ?? 0;
  }
  return { runs, failed };
}

function columnsOf(lane: ReadonlyMap<number, ReadonlyMap<TimelineStatus, number>>): TimelineColumn[] {
  return [...lane]
    .sort(([a], [b]) => a - b)
    .map(([at, counts]) => ({ at, counts: Object.fromEntries(counts) }));
}

function toBar(row: BarRow): TimelineBar {
  const { cause, partitions } = fromJson<StoredSummary>(row.summary);
  return {
    runId: row.run_id,
    status: STATUSES[row.status],
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    assets: row.n,
    cause,
    partitions,
  };
}
