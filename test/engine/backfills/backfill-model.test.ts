import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OperationalError } from '../../../src/lib/errors.ts';
import type { BackfillRow } from '../../../src/store/backfill-store.ts';
import { type BackfillWorld, backfillWorld, type Outcome } from '../../helpers/backfill-world.ts';
import { DAILY, type SamplePipeline, WEEKLY } from '../../helpers/sample-definitions.ts';

const NOW = Date.UTC(2026, 0, 20, 12);
const ADA = { kind: 'cli', user: 'ada' } as const;
const yesterday = { kind: 'time_window', startOffset: -1, endOffset: -1 } as const;
const PIPELINES = {
  days: { config: { partitions: DAILY }, assets: { days: {} } },
  weeks: { config: { partitions: WEEKLY, deps: [{ asset: 'days' }] }, assets: { weeks: {} } },
  balance: {
    config: {
      partitions: DAILY,
      deps: [{ asset: 'weeks' }, { asset: 'balance', partitionMapping: yesterday }],
    },
    assets: { balance: {} },
  },
} as Readonly<Record<string, SamplePipeline>>;

type Action =
  | { readonly kind: 'finish'; readonly steps: number; readonly failEvery: number }
  | { readonly kind: 'retry' | 'settle' | 'pause' | 'resume' | 'cancel' | 'restart' | 'advance_twice' };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('finish' as const),
      steps: fc.integer({ min: 1, max: 4 }),
      failEvery: fc.integer({ min: 2, max: 12 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: 'settle' as const }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Action>(
      { kind: 'pause' },
      { kind: 'resume' },
      { kind: 'restart' },
      { kind: 'retry' },
      { kind: 'advance_twice' },
    ),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'cancel' as const }) },
);

/** What holds at every moment. */
async function holds(world: BackfillWorld, backfillId: string): Promise<BackfillRow> {
  const row = (await world.store().backfills.get(backfillId))!;
  const { total, ...counts } = row.counts;
  expect(Object.values(counts).reduce((sum, n) => sum + n, 0)).toBe(total);
  expect(Object.values(counts).every((n) => n >= 0)).toBe(true);
  const items = await world.store().backfills.runs(backfillId, { limit: 999 });
  expect(items.map(({ item }) => item)).toEqual(items.map((_, n) => n));
  expect(items).toHaveLength(row.submitted);
  // Beside retries there is one run for each item that was not passed over.
  const runs = await world.store().runs.list({ backfillId, limit: 999 });
  const first = runs.filter(({ cause }) => cause.kind === 'backfill');
  expect(first).toHaveLength(items.filter(({ status }) => status !== 'SKIPPED').length);
  const unfinished = runs.filter(({ status }) => ['QUEUED', 'STARTED', 'CANCELING'].includes(status));
  expect(unfinished.filter(({ cause }) => cause.kind === 'backfill').length).toBeLessThanOrEqual(3);
  for (const asset of ['days', 'weeks', 'balance']) {
    const partitions = (await world.store().backfills.partitions(backfillId, asset))!;
    const bounds = Object.values(partitions).flatMap(({ bounds: own }) => own);
    const ordered = bounds.toSorted((a, b) => a - b);
    // Every partition of the asset has one state.
    expect(ordered.at(-1)! - ordered[0]!).toBe(
      Object.values(partitions).reduce((sum, subset) => sum + size(subset.bounds), 0),
    );
  }
  return row;
}

function size(bounds: readonly number[]): number {
  return bounds.reduce((sum, bound, at) => (at % 2 === 0 ? sum - bound : sum + bound), 0);
}

it('submits each item at most once and loses none, whatever happens to it (model)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 14 }), async (actions) => {
      const world = await backfillWorld({ pipelines: PIPELINES, now: NOW, maxSteps: 2 });
      try {
        const { backfillId } = await world.backfills().create({
          assets: ['days', 'weeks', 'balance'],
          partitions: { kind: 'range', start: '2026-01-05', end: '2026-01-11' },
          maxConcurrent: 3,
          fullRefresh: false,
          config: {},
          tags: {},
          cause: ADA,
        });
        let finished = 0;
        const outcome = (every: number) => (): Outcome => {
          finished += 1;
          return finished % every === 0 ? 'fail' : 'succeed';
        };
        for (const one of actions) {
          await act(world, backfillId, one, outcome).catch(expectEnded);
          await holds(world, backfillId);
        }
        await world.backfills().resume(backfillId, 'ada').catch(expectEnded);
        await world.settle();
        while ((await world.finish(() => 'succeed')) > 0) await world.settle();
        const row = await holds(world, backfillId);
        expect(row.endedAt).not.toBeNull();
        expect(row.counts.in_progress).toBe(0);
        if (row.status === 'COMPLETED_SUCCESS') expect(row.counts.materialized).toBe(row.counts.total);
        if (row.status !== 'CANCELED') expect(row.counts.not_started).toBe(0);
      } finally {
        await world.close();
      }
    }),
    { numRuns: 10 },
  );
});

function expectEnded(error: unknown): void {
  if (!(error instanceof OperationalError)) throw error;
  expect(['BACKFILL_ENDED', 'RUN_NOT_RETRYABLE']).toContain(error.code);
}

async function act(
  world: BackfillWorld,
  backfillId: string,
  one: Action,
  outcome: (every: number) => () => Outcome,
): Promise<void> {
  switch (one.kind) {
    case 'finish':
      await world.finish(outcome(one.failEvery), one.steps);
      return;
    case 'settle':
      return world.settle();
    case 'restart':
      return world.restart();
    case 'advance_twice':
      await Promise.all([world.backfills().advance(), world.backfills().advance()]);
      return;
    case 'retry': {
      const [failed] = await world.store().runs.list({ backfillId, statuses: ['FAILURE'], limit: 1 });
      if (failed === undefined) return;
      await world.runs().retry(failed.runId, { fromFailure: true, latest: false, by: ADA });
      return;
    }
    default:
      await world.backfills()[one.kind](backfillId, 'ada');
  }
}
