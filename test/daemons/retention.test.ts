import path from 'node:path';
import { expect, it } from 'vitest';
import { createRetentionDaemon } from '../../src/daemons/retention.ts';
import { createLogger } from '../../src/lib/log.ts';
import { createFileLogStore } from '../../src/store/file-log-store.ts';
import { launch, publish, succeed } from '../store/conformance/harness.ts';
import { openSqlite, temporaryFolder } from '../store/sqlite-store.ts';

const SAMPLE = { a: { assets: { a: {} } } };
const DAY = 86_400_000;

it('removes events and logs of old ended runs, page by page, and nothing of younger or unfinished ones', async () => {
  const opened = await openSqlite();
  const { store, clock } = opened;
  const logs = createFileLogStore(path.join(temporaryFolder(), 'logs'));
  await publish(store, SAMPLE);
  async function runWithLog(end: boolean): Promise<string> {
    clock.advance(1_000);
    const [runId] = await launch(opened, SAMPLE, { assets: ['a'] });
    await logs.append({ runId: runId!, stepKey: 'a', attempt: 1 }, 0, Buffer.from('1 o line\n'));
    if (end) await succeed(store, runId!, 'a');
    return runId!;
  }
  const evaluate = async (evaluationId: string): Promise<void> => {
    const explanation = { condition: 'eager', label: null, entity: 'a', partitioned: false };
    await store.automation.record({
      evaluationId,
      at: clock.now(),
      cursors: new Map(),
      forgotten: [],
      plans: [],
      backfill: null,
      specs: () => ({}),
      evaluations: [
        {
          assetKey: 'a',
          checkName: null,
          requested: 0,
          spans: [],
          condition: 'eager',
          explanation: { ...explanation, candidates: 1, matched: 0, spans: [], children: [] },
        },
      ],
    });
  };
  for (const id of ['oldest', 'old']) await evaluate(id);
  const unfinished = await runWithLog(false);
  const old: string[] = [];
  for (let n = 0; n < 105; n++) old.push(await runWithLog(true));
  clock.advance(10 * DAY);
  const young = await runWithLog(true);

  const asked: number[] = [];
  let told: (status: string) => void = () => undefined;
  const beat = new Promise<string>((resolve) => (told = resolve));
  const daemon = createRetentionDaemon({
    operations: {
      prune: (keep) => store.operations.prune(keep),
      async heartbeat(name, status, error) {
        await store.operations.heartbeat(name, status, error);
        told(error ?? status);
      },
    },
    automation: store.automation,
    alerts: store.alerts,
    insights: store.insights,
    runs: store.runs,
    logs,
    service: { collectGarbage: () => Promise.resolve({ trees: 0, commits: 0 }) },
    environments: {
      collectUnused(olderThanMs) {
        asked.push(olderThanMs);
        return Promise.resolve([]);
      },
    },
    clock,
    log: createLogger('silent'),
    keep: {
      events: 5 * DAY,
      ticks: 5 * DAY,
      deliveries: DAY,
      evaluations: 5 * DAY,
      alerts: 5 * DAY,
      environments: 14 * DAY,
    },
  });
  daemon.start();
  expect(await beat).toBe('ok');
  await daemon.stop();
  expect(asked).toEqual([14 * DAY]);
  const withLogs = [];
  for (const runId of [unfinished, ...old, young])
    if ((await logs.attempts(runId)).length > 0) withLogs.push(runId);
  expect(withLogs).toEqual([unfinished, young]);
  expect(await store.events({ after: 0, limit: 1_000, runId: old[0]! })).toEqual([]);
  expect((await store.events({ after: 0, limit: 1_000, runId: young })).length).toBeGreaterThan(0);
  expect((await store.assets.status(['a']))[0]?.latest?.runId).toBe(young);
  const evaluations = await store.automation.evaluations({ limit: 5 });
  expect(evaluations.map(({ evaluationId }) => evaluationId)).toEqual(['old/a']);
  await opened.close();
});
