import { expect } from 'vitest';
import type { RunStatus } from '../../../src/events/run-state.ts';
import { backfillWorld, type Outcome } from '../../helpers/backfill-world.ts';
import { DAILY } from '../../helpers/sample-definitions.ts';

const START = Date.UTC(2012, 0, 1);
const DAY_MS = 86_400_000;
const ADA = { kind: 'cli', user: 'ada' } as const;
const MAX_STEPS = 40;
const CAP = 2 * MAX_STEPS + 4;

/** A backfill of so many days through restarts, a pause and a cancel: within the cap, none of them run twice. */
export async function runLargeBackfill(days: number): Promise<void> {
  const partitions = { ...DAILY, start: '2012-01-01' } as typeof DAILY;
  const world = await backfillWorld({
    pipelines: { noop: { config: { partitions }, assets: { noop: {} } } },
    now: START + days * DAY_MS + 1,
    maxSteps: MAX_STEPS,
  });
  const ran = new Map<string, number>();
  const succeed = (spec: { readonly partitionKeys: readonly string[] }): Outcome => {
    for (const key of spec.partitionKeys) ran.set(key, (ran.get(key) ?? 0) + 1);
    return 'succeed';
  };
  const get = async (id: string) => (await world.store().backfills.get(id))!;
  let round = 0;
  /** Goes on until so many partitions have run; the service dies every 40 rounds. */
  async function until(partitionsRun: number): Promise<void> {
    while (ran.size < partitionsRun && (await world.finish(succeed)) > 0) {
      round += 1;
      if (round % 40 === 0) await world.restart();
      await world.settle();
      if (round % 20 === 0) {
        expect((await world.store().runs.unfinished()).length).toBeLessThanOrEqual(CAP + 1);
      }
    }
  }
  try {
    const { backfillId } = await world.backfills().create({
      assets: ['noop'],
      partitions: { kind: 'all' },
      fullRefresh: false,
      config: {},
      tags: {},
      cause: ADA,
    });
    await world.settle();
    expect((await get(backfillId)).counts).toMatchObject({ total: days, in_progress: CAP });

    await until(days / 5);
    await world.backfills().pause(backfillId, 'ada');
    const atPause = (await get(backfillId)).submitted;
    await world.restart();
    await world.settle();
    while ((await world.finish(succeed)) > 0) await world.settle();
    expect(await get(backfillId)).toMatchObject({
      status: 'PAUSED',
      submitted: atPause,
      counts: { materialized: atPause, in_progress: 0 },
    });

    await world.backfills().resume(backfillId, 'ada');
    await world.settle();
    const [scheduled] = (
      await world.runs().submit({
        assets: ['noop'],
        partitions: { kind: 'latest' },
        fullRefresh: false,
        config: {},
        tags: {},
        priority: 0,
        cause: ADA,
      })
    ).runIds as [string];
    await world.finish(succeed, 1);
    await world.settle();
    const status = async (): Promise<RunStatus> => (await world.store().runs.state(scheduled))!.status;
    expect(await status()).toBe('STARTED');
    await until(days * 0.7);

    await world.backfills().cancel(backfillId, 'ada');
    await world.settle();
    const canceled = await get(backfillId);
    expect(canceled).toMatchObject({ status: 'CANCELED', counts: { in_progress: 0, failed: 0 } });
    expect(canceled.counts.not_started).toBe(days - canceled.submitted);
    expect(canceled.counts.materialized + canceled.counts.canceled).toBe(canceled.submitted);

    const rest = await world.backfills().retryFailed(backfillId, ADA);
    expect(rest.counts.total).toBe(days - canceled.counts.materialized);
    await world.settle();
    await until(days);
    while ((await world.finish(succeed)) > 0) await world.settle();
    expect(await get(rest.backfillId)).toMatchObject({ status: 'COMPLETED_SUCCESS' });

    const newest = new Date(START + (days - 1) * DAY_MS).toISOString().slice(0, 10);
    expect(ran.size).toBe(days);
    // The one run of the schedule beside the backfill.
    expect([...ran].filter(([, times]) => times > 1)).toEqual([[newest, 2]]);
  } finally {
    await world.close();
  }
}
