import { expect, it } from 'vitest';
import { createRetentionDaemon, DEFAULT_RETENTION } from '../../src/daemons/retention.ts';
import { createLogger } from '../../src/lib/log.ts';
import type { RunFilter, RunSummary } from '../../src/store/store.ts';
import { fakeClock } from '../helpers/fake-clock.ts';

it('prunes by age and removes the logs of old ended runs, page by page, until nothing is left', async () => {
  const clock = fakeClock(Date.UTC(2026, 5, 1));
  const oldest = clock.now() - DEFAULT_RETENTION.events;
  const ids = Array.from({ length: 150 }, (_, index) => `run-${String(index).padStart(3, '0')}`).reverse();
  const logs = new Set(ids);
  const asked: RunFilter[] = [];
  const pruned: unknown[] = [];
  let done: () => void = () => undefined;
  const beat = new Promise<void>((resolve) => (done = resolve));
  const daemon = createRetentionDaemon({
    clock,
    log: createLogger('silent'),
    operations: {
      heartbeat: () => Promise.resolve(done()),
      prune: (keep) => Promise.resolve({ event: pruned.push(keep) }),
    },
    runs: {
      list: (filter) => {
        asked.push(filter);
        const from = asked.length === 1 ? 0 : ids.indexOf(filter.cursor ?? '') + 1;
        return Promise.resolve(
          ids.slice(from, from + filter.limit).map((runId) => ({ runId }) as RunSummary),
        );
      },
    },
    logs: {
      attempts: (runId) => Promise.resolve(logs.has(runId) ? [{ runId, stepKey: 's', attempt: 1 }] : []),
      remove: (runId) => Promise.resolve(void logs.delete(runId)),
    },
    service: { collectGarbage: () => Promise.resolve({ trees: 0, commits: 0 }) },
  });
  daemon.start();
  await beat;
  await daemon.stop();
  expect(pruned).toEqual([
    {
      eventsSince: oldest,
      ticksSince: clock.now() - DEFAULT_RETENTION.ticks,
      deliveriesSince: clock.now() - DEFAULT_RETENTION.deliveries,
    },
  ]);
  expect(logs.size).toBe(0);
  expect(asked.map(({ cursor }) => cursor)).toEqual([
    expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7000-/),
    'run-050',
    'run-000',
  ]);
  expect(Number.parseInt(asked[0]!.cursor!.replaceAll('-', '').slice(0, 12), 16)).toBe(oldest);
});
