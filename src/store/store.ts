import type { ControlState } from '../component/control.ts';
import type { EngineEvent, EventRecord, InstanceEvent, StepError, StepResult } from '../events/run-event.ts';
import type { RunState, RunStatus } from '../events/run-state.ts';
import type { Metadata, StepEvent } from '../events/step-event.ts';
import type { Instant } from '../lib/clock.ts';
import type { Diagnostic } from '../lib/diagnostics.ts';
import type { PartitionsDefinition } from '../partitions/definition/partitions-definition.ts';
import type { PartitionSubset } from '../partitions/subset/partition-subset.ts';
import type { WrittenWith } from '../plan/revision-plan/partition-impact.ts';
import type { Cause, RunPlan } from '../plan/run-plan.ts';
import type { StepRef, StepSpec } from '../plan/step-spec.ts';
import type { DiscoveredAsset, Snapshot } from '../state/snapshot.ts';
import type { AlertStore } from './alert-store.ts';
import type { AutomationStore } from './automation-store.ts';
import type { BackfillStore } from './backfill-store.ts';
import type { ControlStore } from './control-store.ts';
import type { HistoryStore } from './history-store.ts';
import type { InsightsStore } from './insights-store.ts';
import type { OutboxStore } from './outbox-store.ts';
import type { TimelineStore } from './timeline-store.ts';

/**
 * The store: the event log is the truth, everything else in it is a projection of the log or an identity. All times
 * come from the database's clock (`now()`), which tests replace. Every method that writes is one transaction.
 * Adapters: `kysely-store` on SQLite. The same conformance suite holds for every adapter.
 */
export interface Store {
  readonly steps: StepStore;
  readonly runs: RunStore;
  readonly assets: AssetStore;
  readonly schedules: ScheduleStore;
  readonly backfills: BackfillStore;
  readonly components: ComponentStore;
  readonly automation: AutomationStore;
  readonly discovery: DiscoveryStore;
  readonly controls: ControlStore;
  readonly history: HistoryStore;
  readonly insights: InsightsStore;
  readonly outbox: OutboxStore;
  readonly alerts: AlertStore;
  readonly timeline: TimelineStore;
  readonly operations: OperationsStore;
  /** The database's clock. */
  now(): Promise<Instant>;
  /**
   * Called after the commit of each transaction that appended events, with the newest `eventId`. Bounded, in this
   * process only; readers fetch what they missed by `events(after)`. Returns the unsubscribe function.
   */
  subscribe(listener: (lastEventId: number) => void): () => void;
  /** Events after `after` in `eventId` order. */
  events(filter: {
    after: number;
    limit: number;
    runId?: string;
    types?: readonly string[];
  }): Promise<readonly EventRecord[]>;
  appendInstanceEvents(events: readonly InstanceEvent[]): Promise<void>;
  lastEventId(): Promise<number>;
  close(): Promise<void>;
}

export type AcquireResult = 'ok' | 'held' | 'stale';
export type RenewResult = 'ok' | 'cancel' | 'lost';
export type AppendResult = 'ok' | 'fenced';

/** The part that a worker needs. Fence: only the attempt that holds the step's lease is heard. */
export interface StepStore {
  spec(ref: StepRef): Promise<StepSpec>;
  /** `held`: another holder has it and it has not expired; `stale`: a higher fence exists, give up at once. */
  acquire(ref: StepRef, holder: string): Promise<AcquireResult>;
  /** Moves `expires` to now + ttl; `cancel`: held, and asked to stop; `lost`: not the holder any more. */
  renew(ref: StepRef, holder: string): Promise<RenewResult>;
  /** `started` marks the step as running. Idempotent by (run, step, attempt). */
  started(ref: StepRef, info: { pid: number; envKey: string }): Promise<AppendResult>;
  /** Idempotent by `n` (from 1, the line's number in the stream): known numbers are passed over. */
  append(
    ref: StepRef,
    events: readonly {
      readonly n: number;
      readonly event: StepEvent | { type: 'other'; payload: Record<string, unknown> };
    }[],
  ): Promise<AppendResult>;
  /** Highest accepted `n` of the attempt, 0 if none: where an adopted stream goes on. */
  lastN(ref: StepRef): Promise<number>;
  /**
   * Result, materializations that the step did not report itself, projections and release of lease and slots: one
   * transaction. Idempotent: a second result of an attempt is refused as `fenced`.
   */
  finish(
    ref: StepRef,
    result: StepResult,
    implied: readonly {
      readonly assetKey: string;
      readonly partitions: readonly string[];
      readonly metadata: Metadata;
    }[],
  ): Promise<AppendResult>;
  /** Leases of this holder prefix that are alive: what a restarted service adopts. */
  leases(): Promise<readonly LeaseRow[]>;
  /** Gives the lease of a dead holder to a new one (adoption), fence unchanged. Refused as `stale` if the fence moved. */
  takeOver(ref: StepRef, fromHolder: string, toHolder: string): Promise<AcquireResult>;
}

export interface LeaseRow {
  readonly ref: StepRef;
  /** '' until somebody acquires it. */
  readonly holder: string;
  readonly expires: Instant;
  readonly cancel: boolean;
}

/** What `decide` sees of everything else: slots and pools over all runs. */
export interface Admission {
  readonly maxSteps: number;
  readonly stepsInFlight: number;
  readonly pools: Readonly<Record<string, { readonly limit: number; readonly held: number }>>;
  readonly maxConcurrentRuns: number | null;
  readonly runsInFlight: number;
}

export interface RunView {
  readonly plan: RunPlan;
  readonly state: RunState;
  readonly leases: Readonly<Record<string, LeaseRow>>;
  /** Status of the runs that this one waits for (`plan.after` and `plan.waitsFor`). */
  readonly after: Readonly<Record<string, RunStatus>>;
  readonly admission: Admission;
  readonly now: Instant;
}

/** What a decision may do; applied in the order given, in the transaction that read the view. */
export type RunCommand =
  /** Appended to the log; the reducer's new state is stored. `step_dispatched` also writes lease and pool slots. */
  | { readonly type: 'record'; readonly event: EngineEvent }
  /** Sets `cancel` on the lease of a step in flight. */
  | { readonly type: 'cancel_lease'; readonly stepKey: string }
  /** Removes the lease of a lost attempt, and its slots. */
  | { readonly type: 'release_lease'; readonly stepKey: string };

export interface LaunchRecord {
  readonly launchId: string;
  readonly runIds: readonly string[];
  /** False: the idempotency key was known and this is the earlier launch. */
  readonly created: boolean;
}

export interface RunSummary {
  readonly runId: string;
  readonly launchId: string;
  readonly status: RunStatus;
  readonly jobName: string;
  readonly cause: Cause;
  readonly tags: Readonly<Record<string, string>>;
  readonly assetKeys: readonly string[];
  readonly partitions: RunPlan['partitions'];
  readonly commits: readonly { readonly component: string; readonly commit: string }[];
  readonly createdAt: Instant;
  readonly startedAt: Instant | null;
  readonly endedAt: Instant | null;
  readonly stepCounts: Readonly<Record<string, number>>;
  readonly error: StepError | null;
}

export interface RunFilter {
  readonly statuses?: readonly RunStatus[];
  readonly assetKey?: string;
  readonly pipeline?: string;
  /** What people call it, exactly. */
  readonly jobName?: string;
  readonly schedule?: string;
  readonly launchId?: string;
  /** Runs of a backfill, retries of them included. */
  readonly backfillId?: string;
  /** Runs created before this run id (ids sort by time). */
  readonly cursor?: string;
  readonly limit: number;
}

export interface RunStore {
  /** Launch and its runs in one transaction; also the tick's row when the launch comes from a schedule. */
  createLaunch(
    plans: readonly RunPlan[],
    options: { idempotencyKey?: string; specs: (plan: RunPlan) => Readonly<Record<string, StepSpec>> },
  ): Promise<LaunchRecord>;
  /**
   * Reads the run in a transaction, lets `decide` choose (pure, synchronous), applies and returns what it chose.
   * `null` if there is no such run. Events that do not fit the state any more (the reducer passes over them) are not
   * recorded and not among the commands returned. A step that is not in flight any more loses its lease and its slots.
   * `durability: 'process'` is for what would be decided again after a loss of power.
   */
  advance(
    runId: string,
    limits: AdmissionLimits,
    decide: (view: RunView) => readonly RunCommand[],
    options?: { readonly durability?: 'power' | 'process' },
  ): Promise<{
    readonly commands: readonly RunCommand[];
    readonly view: RunView;
    readonly state: RunState;
  } | null>;
  plan(runId: string): Promise<RunPlan | null>;
  state(runId: string): Promise<RunState | null>;
  list(filter: RunFilter): Promise<readonly RunSummary[]>;
  summary(runId: string): Promise<RunSummary | null>;
  /** Ids of runs that have not ended, by priority (high first), then age. */
  unfinished(): Promise<readonly string[]>;
  counts(): Promise<Readonly<Record<RunStatus, number>>>;
  /** By run id; runs that there are not are left out. */
  priorities(runIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
}

export interface AdmissionLimits {
  readonly maxSteps: number;
  readonly maxConcurrentRuns: number | null;
  readonly pools: Readonly<Record<string, number>>;
}

export interface MaterializationRow {
  readonly eventId: number;
  readonly assetKey: string;
  readonly partition: string | null;
  readonly runId: string;
  readonly stepKey: string;
  readonly at: Instant;
  readonly commit: string;
  readonly contentDigest: string;
  readonly codeVersion: string;
  readonly metadata: Metadata;
}

export interface CheckResultRow {
  readonly assetKey: string;
  readonly checkName: string;
  readonly partition: string | null;
  readonly passed: boolean;
  readonly severity: 'WARN' | 'ERROR';
  readonly runId: string;
  readonly at: Instant;
  readonly metadata: Metadata;
}

export type PartitionStatus = 'materialized' | 'failed' | 'in_progress';

export interface AssetStatusRow {
  readonly assetKey: string;
  readonly latest: MaterializationRow | null;
  readonly latestRun: { readonly runId: string; readonly status: RunStatus; readonly at: Instant } | null;
  readonly checks: readonly CheckResultRow[];
  /** Partition counts by status; empty when the asset is not partitioned. Missing = total − these. */
  readonly partitionCounts: Readonly<Record<PartitionStatus, number>>;
}

/**
 * The partitions of an asset by what happened to them, as ordinals of the definition that was asked with. Partitions that
 * do not exist yet can be among them; those that the definition has no more are not.
 */
export interface PartitionSubsets {
  /** Written at least once, whatever happened since. */
  readonly materialized: PartitionSubset;
  /** What happened last, of writes and failures, was a failure; another attempt may be under way. */
  readonly failed: PartitionSubset;
  /** A step that writes it is under way, retries included. */
  readonly inProgress: PartitionSubset;
}

/** Projections of what runs wrote. Keys are text here; inside, assets and partitions are surrogates (a rename moves only the alias). */
export interface AssetStore {
  status(keys: readonly string[]): Promise<readonly AssetStatusRow[]>;
  /** Newest first. A page can be longer than `limit`: the partitions that one event wrote are never torn apart. */
  materializations(
    assetKey: string,
    filter: { partition?: string; beforeEventId?: number; limit: number },
  ): Promise<readonly MaterializationRow[]>;
  /** Every partition of the present definition with a status, by its key of today. `in_progress` wins over `failed` over `materialized` by the newest event. */
  partitions(assetKey: string): Promise<
    readonly {
      readonly key: string;
      readonly status: PartitionStatus;
      readonly runId: string;
      readonly at: Instant;
    }[]
  >;
  /**
   * State of each partition by its ordinal, `in_progress` over `failed` over `materialized`; for whoever asks for all of
   * them. To be used at once: it goes on with the store.
   */
  partitionStates(
    assetKey: string,
    definition: PartitionsDefinition,
  ): Promise<(ordinal: number) => PartitionStatus | 'missing'>;
  /** The same object for as long as nothing changed. Of an asset that nothing is known of: nothing. */
  partitionSubsets(assetKey: string, definition: PartitionsDefinition): Promise<PartitionSubsets>;
  /**
   * What was written, by the code version of the last write, as ordinals of the definition that is asked with; null: the
   * writes of the whole. What the definition does not have is left out.
   */
  writtenWith(assetKey: string, definition: PartitionsDefinition | null): Promise<readonly WrittenWith[]>;
  /**
   * One result of each check, newest first: of partitions the newest that fails as long as one does, else the newest; one
   * of the asset as a whole takes the place of all before it.
   */
  checks(assetKey: string): Promise<readonly CheckResultRow[]>;
  /** When each asset was last materialized, whichever partition; assets that never were are not in the map. */
  lastUpdates(assetKeys: readonly string[]): Promise<ReadonlyMap<string, Instant>>;
  /** Last runs of an asset, newest first: the strip of the last 20. */
  recentRuns(
    assetKey: string,
    limit: number,
  ): Promise<readonly { readonly runId: string; readonly status: RunStatus; readonly at: Instant }[]>;
  /** The same of many assets at once; assets without a run are not in the map. */
  recentRunsOf(
    assetKeys: readonly string[],
    limit: number,
  ): Promise<
    ReadonlyMap<
      string,
      readonly { readonly runId: string; readonly status: RunStatus; readonly at: Instant }[]
    >
  >;
}

export type TickStatus = 'launched' | 'skipped' | 'failed' | 'queued';

export interface TickRow {
  readonly schedule: string;
  readonly at: Instant;
  readonly status: TickStatus;
  readonly reason: string;
  readonly launchId: string | null;
  readonly runIds: readonly string[];
  readonly recordedAt: Instant;
}

export interface ScheduleStateRow {
  readonly schedule: string;
  /** Null: as `default_status` in Git says. */
  readonly override: {
    readonly status: 'RUNNING' | 'STOPPED';
    readonly by: string;
    readonly at: Instant;
    readonly reason?: string;
    /** When it ends by itself; absent: only by a person. */
    readonly expiresAt?: Instant;
  } | null;
  /** Only instants after this fire: set at first sight, at start, and when cron or zone change. Never moves back. */
  readonly cursor: Instant;
  readonly configDigest: string;
}

/** A tick to record, with the runs that it launches. */
export interface NewTick {
  readonly schedule: string;
  readonly at: Instant;
  readonly status: TickStatus;
  readonly reason: string;
  readonly plans: readonly RunPlan[];
}

/** How far `recordTicks` is, within its transaction. */
export type TickStage = 'begun' | 'runs_inserted' | 'ticks_inserted';

export interface ScheduleStore {
  states(): Promise<readonly ScheduleStateRow[]>;
  /**
   * Counts up at every change of what `states` gives: a look that finds the same number need not read ten thousand rows
   * again. Of this process, which has the database for itself.
   */
  version(): number;
  /** First sight of schedules, changed crons: writes cursors so that the past never fires. One transaction. */
  setCursors(
    entries: readonly {
      readonly schedule: string;
      readonly cursor: Instant;
      readonly configDigest: string;
    }[],
  ): Promise<void>;
  setOverride(schedule: string, override: ScheduleStateRow['override'], cursor: Instant): Promise<void>;
  /**
   * Exactly once per (schedule, instant): tick row, launch with its runs, cursor, the event `tick`, all of them in one
   * transaction: all or none. Null in the place of a tick that is already there.
   * @param onStage told within the transaction
   */
  recordTicks(
    ticks: readonly NewTick[],
    specs: (plan: RunPlan) => Readonly<Record<string, StepSpec>>,
    onStage?: (stage: TickStage) => void,
  ): Promise<readonly (TickRow | null)[]>;
  ticks(schedule: string, filter: { before?: Instant; limit: number }): Promise<readonly TickRow[]>;
  lastTicks(): Promise<readonly TickRow[]>;
  /** Unfinished runs that these schedules launched, oldest first; `overlap` looks at it. Those without are not in the map. */
  unfinishedRuns(schedules: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
}

export type RefreshTrigger =
  | { readonly kind: 'poll' | 'startup' | 'watch' | 'discovery' }
  | { readonly kind: 'webhook'; readonly delivery: string }
  | { readonly kind: 'cli' | 'page' | 'api'; readonly by: string }
  /** A person went back to an earlier revision, or chose one to stay at; `revisionId` null: it was never applied before. */
  | { readonly kind: 'rollback' | 'pin'; readonly by: string; readonly revisionId: number | null };

export interface RevisionRow {
  readonly revisionId: number;
  readonly component: string;
  readonly commit: string;
  readonly branch: string;
  readonly author: string;
  readonly message: string;
  readonly committedAt: Instant;
  readonly digest: string;
  readonly trigger: RefreshTrigger;
  readonly startedAt: Instant;
  readonly appliedAt: Instant;
  readonly pipelines: number;
  readonly held: number;
  readonly diagnostics: number;
  readonly summary: { readonly added: number; readonly changed: number; readonly removed: number };
}

/** A folder that is gone, and the pipeline that takes its history over. */
export interface AcceptedMove {
  readonly fromDir: string;
  readonly pipeline: string;
  readonly by: string;
}

export interface ComponentStore {
  /**
   * Folder states by content digest, the revision as a list of them, aliases of pipelines, assets and schedules: one
   * transaction, in which the event `revision_applied` is appended. A folder that moved (`moved_from`) takes its ids
   * along, and back when it is undone. Keeps the last 50 revisions per component. `control`: what holds the component at
   * this revision, or null where it ends a hold; in the same transaction. Returns the new revision id.
   */
  applyRevision(
    snapshot: Snapshot,
    info: {
      trigger: RefreshTrigger;
      startedAt: Instant;
      summary: RevisionRow['summary'];
      control?: { readonly state: Omit<ControlState, 'revisionId'> | null; readonly by: string };
      /** A move that a person confirmed: throws `MOVE_CONFLICT` when the new name has a history of its own. */
      acceptedMove?: AcceptedMove;
    },
  ): Promise<number>;
  revisions(
    component: string,
    filter: { beforeRevisionId?: number; limit: number },
  ): Promise<readonly RevisionRow[]>;
  revision(component: string, revisionIdOrCommit: number | string): Promise<RevisionRow | null>;
  /** The whole snapshot of a revision, without network. */
  snapshot(revisionId: number): Promise<Snapshot | null>;
  latestSnapshot(
    component: string,
  ): Promise<{ readonly revisionId: number; readonly snapshot: Snapshot } | null>;
  /** Tree ids that unfinished runs, held folders or retained revisions need: garbage collection spares them. */
  neededTrees(): Promise<ReadonlySet<string>>;
}

/** As `discovery/discover.ts` has it: plain JSON, stored whole by `inputsDigest`. */
export interface DiscoveryResult {
  readonly inputsDigest: string;
  readonly kind: 'dlt_recorded' | 'dbt_parse' | 'environment';
  readonly status: 'complete' | 'failed';
  readonly envKey?: string;
  readonly assets: readonly DiscoveredAsset[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Results of the background discovery jobs, by content: a folder that did not change is never parsed again. */
export interface DiscoveryStore {
  result(inputsDigest: string): Promise<DiscoveryResult | null>;
  results(): Promise<ReadonlyMap<string, DiscoveryResult>>;
  save(result: DiscoveryResult): Promise<void>;
}

export interface AuditRow {
  readonly auditId: number;
  readonly at: Instant;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What is shown already, by kind: below these ids the next page begins; null: from the newest on. */
export interface AuditPosition {
  readonly change: number | null;
  readonly launch: number | null;
  readonly revision: number | null;
}

export interface AuditTrailFilter {
  readonly before: AuditPosition;
  readonly limit: number;
  /** Whole: `cli:ada`, `page`, `schedule:dlt_orders_schedule`, `poll`. */
  readonly actor?: string;
  /** Its beginning: `run.`, `component.pin`. */
  readonly action?: string;
  /** A run, backfill, schedule or component. */
  readonly target?: string;
  /** Only what a person did; else also runs that began by themselves, and revisions. */
  readonly peopleOnly?: boolean;
}

export interface AuditTrailRow extends Omit<AuditRow, 'auditId'> {
  readonly kind: 'change' | 'launch' | 'revision';
  /** Of its kind. */
  readonly id: number;
}

export interface HeartbeatRow {
  readonly daemon: string;
  readonly at: Instant;
  readonly status: 'ok' | 'failed';
  readonly lastError: string | null;
  readonly iterations: number;
}

export interface OperationsStore {
  audit(entry: {
    actor: string;
    action: string;
    target: string;
    details: Record<string, unknown>;
  }): Promise<void>;
  auditLog(filter: { beforeId?: number; target?: string; limit: number }): Promise<readonly AuditRow[]>;
  /** Who or what caused what, newest first. */
  auditTrail(filter: AuditTrailFilter): Promise<readonly AuditTrailRow[]>;
  heartbeat(daemon: string, status: 'ok' | 'failed', lastError: string | null): Promise<void>;
  heartbeats(): Promise<readonly HeartbeatRow[]>;
  /** False: this delivery id was seen before (kept for 3 days). */
  recordDelivery(delivery: { id: string; event: string; outcome: string }): Promise<boolean>;
  deliveries(
    limit: number,
  ): Promise<
    readonly { readonly id: string; readonly event: string; readonly outcome: string; readonly at: Instant }[]
  >;
  /**
   * Deletes old events and specs of ended runs, ticks, deliveries, discovery results; returns what it removed by table.
   * Never last-write rows, what they point to, or the newest tick of a schedule. Several short transactions.
   */
  prune(keep: {
    eventsSince: Instant;
    ticksSince: Instant;
    deliveriesSince: Instant;
  }): Promise<Readonly<Record<string, number>>>;
  /** Rebuilds every projection from the log; the result equals what was there (of runs that were pruned, it is left). */
  rebuildProjections(): Promise<void>;
  sizeBytes(): Promise<number>;
  /** `ok`, or what is wrong. */
  integrityCheck(): Promise<string>;
}
