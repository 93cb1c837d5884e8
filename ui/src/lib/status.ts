import type { AssetFreshness, AssetState, PartitionState } from '../../../src/server/contract/asset.ts';
import type { BackfillPartitionState, BackfillStatus } from '../../../src/server/contract/backfill.ts';
import type { RunStatus, StepStatus } from '../../../src/server/contract/common.ts';

/** Six meanings; each has a shape, a colour and a word, so that none of them alone carries it. */
export type Tone = 'ok' | 'bad' | 'run' | 'wait' | 'warn' | 'idle';

export interface Shown {
  readonly tone: Tone;
  readonly text: string;
}

const RUNS: Readonly<Record<RunStatus, Shown>> = {
  QUEUED: { tone: 'wait', text: 'Queued' },
  STARTED: { tone: 'run', text: 'Running' },
  CANCELING: { tone: 'warn', text: 'Canceling' },
  SUCCESS: { tone: 'ok', text: 'Succeeded' },
  FAILURE: { tone: 'bad', text: 'Failed' },
  CANCELED: { tone: 'idle', text: 'Canceled' },
};

const STEPS: Readonly<Record<StepStatus, Shown>> = {
  waiting: { tone: 'wait', text: 'Waiting' },
  dispatched: { tone: 'wait', text: 'Starting' },
  running: { tone: 'run', text: 'Running' },
  attempt_failed: { tone: 'warn', text: 'Attempt failed' },
  retry_wait: { tone: 'warn', text: 'Waiting to retry' },
  succeeded: { tone: 'ok', text: 'Succeeded' },
  failed: { tone: 'bad', text: 'Failed' },
  canceled: { tone: 'idle', text: 'Canceled' },
  skipped: { tone: 'idle', text: 'Skipped' },
};

const ASSETS: Readonly<Record<AssetState, Shown>> = {
  never: { tone: 'idle', text: 'Never run' },
  materialized: { tone: 'ok', text: 'Materialized' },
  running: { tone: 'run', text: 'Running' },
  queued: { tone: 'wait', text: 'Queued' },
  failed: { tone: 'bad', text: 'Failed' },
  partly: { tone: 'warn', text: 'Partly' },
};

const PARTITIONS: Readonly<Record<PartitionState, Shown>> = {
  materialized: { tone: 'ok', text: 'Materialized' },
  failed: { tone: 'bad', text: 'Failed' },
  in_progress: { tone: 'run', text: 'In progress' },
  missing: { tone: 'idle', text: 'Missing' },
};

const BACKFILLS: Readonly<Record<BackfillStatus, Shown>> = {
  REQUESTED: { tone: 'run', text: 'Running' },
  PAUSED: { tone: 'warn', text: 'Paused' },
  CANCELING: { tone: 'warn', text: 'Canceling' },
  CANCELED: { tone: 'idle', text: 'Canceled' },
  COMPLETED_SUCCESS: { tone: 'ok', text: 'Succeeded' },
  COMPLETED_FAILED: { tone: 'bad', text: 'Failed' },
};

const BACKFILL_PARTITIONS: Readonly<Record<BackfillPartitionState, Shown>> = {
  materialized: { tone: 'ok', text: 'Materialized' },
  failed: { tone: 'bad', text: 'Failed' },
  in_progress: { tone: 'run', text: 'In progress' },
  canceled: { tone: 'wait', text: 'Canceled' },
  skipped: { tone: 'warn', text: 'Skipped' },
  not_started: { tone: 'idle', text: 'To do' },
};

const UNKNOWN: Shown = { tone: 'idle', text: 'Unknown' };

export function runShown(status: RunStatus): Shown {
  return RUNS[status] ?? UNKNOWN;
}
export function stepShown(status: StepStatus): Shown {
  return STEPS[status] ?? UNKNOWN;
}
export function assetShown(state: AssetState): Shown {
  return ASSETS[state] ?? UNKNOWN;
}
/** By its freshness policy; what only warns is no failure. */
export function freshnessShown({ state, severity }: Pick<AssetFreshness, 'state' | 'severity'>): Shown {
  if (state === 'fresh') return { tone: 'ok', text: 'Fresh' };
  if (state === 'unknown') return { tone: 'idle', text: 'Never updated' };
  return { tone: severity === 'ERROR' ? 'bad' : 'warn', text: 'Stale' };
}

export function partitionShown(state: PartitionState): Shown {
  return PARTITIONS[state] ?? UNKNOWN;
}

export function backfillShown(status: BackfillStatus): Shown {
  return BACKFILLS[status] ?? UNKNOWN;
}
export function backfillPartitionShown(state: BackfillPartitionState): Shown {
  return BACKFILL_PARTITIONS[state] ?? UNKNOWN;
}

export function isActive(status: RunStatus): boolean {
  return status === 'QUEUED' || status === 'STARTED' || status === 'CANCELING';
}
