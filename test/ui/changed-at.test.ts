import { expect, it } from 'vitest';
import type { DltDrop } from '../../src/server/contract/dlt-state.ts';
import { changedAt } from '../../ui/src/pages/pipeline/changed-at.ts';

const EARLY = '2026-01-20T08:00:00.000Z';
const LATE = '2026-01-20T12:00:00.000Z';
const drop = (status: DltDrop['status'], endedAt: string | null): DltDrop => ({
  run_id: 'r',
  status,
  dry_run: false,
  cause: { kind: 'page', text: 'page', schedule: null, tick: null, run_id: null, backfill_id: null },
  at: EARLY,
  ended_at: endedAt,
  resources: null,
  dropped: [],
  error: null,
});

it.each([
  ['nothing ever', null, [], null],
  ['a load', EARLY, [], EARLY],
  ['a drop after the load', EARLY, [drop('SUCCESS', LATE)], LATE],
  ['a load after the drop', LATE, [drop('SUCCESS', EARLY)], LATE],
  ['a drop that failed, which took nothing', EARLY, [drop('FAILURE', LATE)], EARLY],
  ['a drop that runs', null, [drop('STARTED', null)], null],
])('what changed the state of dlt last: %s', (_, loaded, drops, expected) => {
  expect(changedAt({ last_load_at: loaded, drops })).toBe(expected);
});
