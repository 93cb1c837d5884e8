/**
 * The whole service with an eager asset, that can be killed: `node mortal-automation.ts HOME REPO CRASH_POINT` ('' =
 * never). Once the condition is known it launches `raw`, if that was not launched before; from then on it dies by SIGKILL
 * at CRASH_POINT. Says `ended STATUS…` on stdout once `staged` was run and everything has ended.
 */
import { loadSettings } from '../../src/config/load-settings.ts';
import { TERMINAL_RUN } from '../../src/events/run-state.ts';
import { createLogger } from '../../src/lib/log.ts';
import { createService } from '../../src/main.ts';
import { ROOT, TEST_CACHE } from './service.ts';

const [home, repo, crashAt] = process.argv.slice(2) as [string, string, string];
process.env['ELT_CACHE_DIR'] = TEST_CACHE;
const env = { PATH: process.env['PATH']!, ELT_CACHE_DIR: TEST_CACHE, ELT_HOME: home, ELT_REPO_URL: repo };
const loaded = loadSettings({ root: ROOT, cwd: home, env });
if (!('ok' in loaded)) throw new Error(JSON.stringify(loaded.diagnostics));
let isArmed = false;
const service = await createService({
  settings: loaded.ok,
  logger: createLogger('error'),
  serve: false,
  daemons: true,
  crashPoint(point) {
    if (isArmed && point === crashAt) process.kill(process.pid, 'SIGKILL');
  },
});
const { store, engine } = service;

await until(async () => (await store.automation.cursors()).has('staged'));
isArmed = true;
await engine.submit({
  assets: ['raw'],
  partitions: { kind: 'none' },
  fullRefresh: false,
  config: {},
  tags: {},
  priority: 0,
  cause: { kind: 'cli', user: 'test' },
  idempotencyKey: 'the one',
});
await until(async () => {
  const runs = await store.runs.list({ limit: 10 });
  const isRun = runs.some(({ assetKeys }) => assetKeys.includes('staged'));
  return isRun && runs.every(({ status }) => TERMINAL_RUN.has(status)) && service.automation.isSettled();
});
const runs = await store.runs.list({ limit: 10 });
process.stdout.write(`ended ${runs.map(({ status }) => status).join(' ')}\n`);
await service.close({ endSteps: true });

/** Resolves when it is so; looks at each event of the log. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const news = Promise.withResolvers<void>();
    const unsubscribe = store.subscribe(() => news.resolve());
    const timer = setTimeout(() => news.resolve(), 200);
    try {
      if (await isSo()) return;
      await news.promise;
    } finally {
      clearTimeout(timer);
      unsubscribe();
    }
  }
}
