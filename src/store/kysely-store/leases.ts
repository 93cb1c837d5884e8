import type { StepRef } from '../../plan/step-spec.ts';
import type { LeaseRow } from '../store.ts';
import type { LeaseTableRow } from './schema.ts';

export function toLease(row: LeaseTableRow, runId: string): LeaseRow {
  return {
    ref: {
      runId,
      stepKey: row.step_key,
      attempt: row.fence,
      queue: row.queue,
      timeoutMs: row.timeout_ms,
      leaseTtlMs: row.lease_ttl_ms,
    } satisfies StepRef,
    holder: row.holder,
    expires: row.expires,
    cancel: row.cancel === 1,
  };
}
