/**
 * A whole service that carries one backfill through to its end and can be killed on the way:
 * `node crash-service.ts HOME REPO MODE CRASH_POINT OCCURRENCE` ('' = never). Creates the backfill if there is none.
 * MODE is what happens to it: `run` nothing, `pause` paused and resumed, `cancel` canceled while its first runs are under
 * way. Says `ended STATUS` on stdout.
 */
import { loadSettings } from '../../src/config/load-settings.ts';
import { createLogger } from '../../src/lib/log.ts';
import { createService } from '../../src/main.ts';
import type { BackfillRow } from '../../src/store/backfill-store.ts';
import { ROOT } from './service.ts';

const DAYS = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'] as const;

const [home, repo, mode, crashAt, occurrence] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
let left = Number(occurrence);

const loaded = loadSettings({
  root: ROOT,
  cwd: home,
  env: { ...process.env, ELT_HOME: home, ELT_REPO_URL: repo, ELT_MAX_CONCURRENT: '2' },
});
if (!('ok' in loaded)) throw new Error(JSON.stringify(loaded.diagnostics));
const service = await createService({
  settings: loaded.ok,
  logger: createLogger('error'),
  serve: false,
  daemons: true,
  crashPoint(point) {
    if (point !== crashAt) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  },
});
const { backfills, components, store } = service;
for (const { name } of components.components()) await components.requestRefresh(name, { kind: 'startup' });

const { backfillId } = await backfills.create({
  assets: ['raw', 'total'],
  partitions: { kind: 'range', start: DAYS[0], end: DAYS.at(-1)! },
  maxConcurrent: 2,
  fullRefresh: false,
  config: {},
  tags: {},
  cause: { kind: 'cli', user: 'test' },
  idempotencyKey: 'the one',
});
if (mode === 'pause') {
  await seen((row) => row.submitted > 0);
  if ((await get()).endedAt === null) {
    await backfills.pause(backfillId, 'cli:test');
    await backfills.resume(backfillId, 'cli:test');
  }
}
if (mode === 'cancel') {
  await seen((row) => row.submitted > 0);
  if ((await get()).endedAt === null) await backfills.cancel(backfillId, 'cli:test');
}
const { status } = await seen((row) => row.endedAt !== null);
process.stdout.write(`ended ${status}\n`);
await service.close({ endSteps: true });

async function get(): Promise<BackfillRow> {
  return (await store.backfills.get(backfillId))!;
}

/** Resolves with the backfill when it is as asked for; looks at each event of the log. */
async function seen(wanted: (row: BackfillRow) => boolean): Promise<BackfillRow> {
  for (;;) {
    const news = Promise.withResolvers<void>();
    const unsubscribe = store.subscribe(() => news.resolve());
    try {
      const row = await get();
      if (wanted(row)) return row;
      await news.promise;
    } finally {
      unsubscribe();
    }
  }
}
