import type { RunStatus } from '../../events/run-state.ts';
import type { RunMarkRow } from '../history-store.ts';

/** A run's row beside something that it made. */
export function toRunMark(row: {
  run_id: string;
  status: string;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}): RunMarkRow {
  return {
    runId: row.run_id,
    status: row.status as RunStatus,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}
