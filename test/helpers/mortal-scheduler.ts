/**
 * The whole service with a clock of its own, that can be killed:
 * `node mortal-scheduler.ts HOME REPO CRASH_POINT START MOVE_TO SCHEDULE` (instants in epoch ms; '' = never).
 * Begins at START; as soon as the schedule is known moves to MOVE_TO; dies by SIGKILL at CRASH_POINT. Says `due` on
 * stdout when the clock was moved, and `ended STATUS…` once there are runs and all of them have ended.
 */
import { loadSettings } from '../../src/config/load-settings.ts';
import { TERMINAL_RUN } from '../../src/events/run-state.ts';
import { createLogger } from '../../src/lib/log.ts';
import { createService } from '../../src/main.ts';
import { movingClock } from './moving-clock.ts';
import { ROOT, TEST_CACHE } from './service.ts';

const [home, repo, crashAt, start, moveTo, schedule] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
process.env['ELT_CACHE_DIR'] = TEST_CACHE;
const env = { PATH: process.env['PATH']!, ELT_CACHE_DIR: TEST_CACHE, ELT_HOME: home, ELT_REPO_URL: repo };
const loaded = loadSettings({ root: ROOT, cwd: home, env });
if (!('ok' in loaded)) throw new Error(JSON.stringify(loaded.diagnostics));
const clock = movingClock(Number(start));
const service = await createService({
  settings: loaded.ok,
  logger: createLogger('warn'),
  serve: false,
  daemons: true,
  clock,
  crashPoint(point) {
    if (point === crashAt) process.kill(process.pid, 'SIGKILL');
  },
});
const { store } = service;
let isMoved = false;
let isLooking = false;

/** At everything that happens: is the schedule known, have its runs ended? */
async function look(): Promise<void> {
  if (isLooking) return;
  isLooking = true;
  try {
    const known = (await store.schedules.states()).some((one) => one.schedule === schedule);
    if (known && !isMoved) {
      isMoved = true;
      if (moveTo !== '') clock.moveTo(Number(moveTo));
      process.stdout.write('due\n');
    }
    const runs = await store.runs.list({ limit: 10 });
    if (runs.length === 0 || !runs.every(({ status }) => TERMINAL_RUN.has(status))) return;
    process.stdout.write(`ended ${runs.map(({ status }) => status).join(' ')}\n`);
    await service.close();
    process.exit(0);
  } finally {
    isLooking = false;
  }
}

setInterval(() => void look(), 20);
