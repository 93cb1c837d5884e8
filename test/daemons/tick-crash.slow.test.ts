import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { TICK_CRASH_POINTS, type TickCrashPoint } from '../../src/daemons/tick-crash-points.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openStore } from '../../src/store/open-store.ts';
import { temporaryDirectory } from '../helpers/git-repository.ts';
import { createRepository } from '../helpers/repository.ts';
import { SILENT } from '../store/sqlite-store.ts';

const TICK = Date.UTC(2026, 0, 20, 13);
const SCHEDULE = 'python_hello_schedule';

/** A life that goes on and on has failed. */
const LIFE_MS = 120_000;

/** What the database holds after the crash: whether the tick was committed. Every point has to be judged here. */
const IS_RECORDED: Readonly<Record<TickCrashPoint, boolean>> = {
  'tick.cursors_set': false,
  'tick.planned': false,
  'tick.in_transaction': false,
  'tick.runs_inserted': false,
  'tick.tick_inserted': false,
  'tick.recorded': true,
  'tick.run_woken': true,
};

/** One life of the service; resolves with what it said and how it ended. */
async function life(args: readonly string[]): Promise<{ said: readonly string[]; signal: string | null }> {
  const script = join(import.meta.dirname, '..', 'helpers', 'mortal-scheduler.ts');
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: LIFE_MS,
    killSignal: 'SIGABRT',
  });
  const said: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => said.push(line));
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { said, signal };
}

async function stored(home: string) {
  const store = await openStore({ file: join(home, 'elt.db'), clock: systemClock(), logger: SILENT });
  const ticks = await store.schedules.ticks(SCHEDULE, { limit: 10 });
  const runs = await store.runs.list({ limit: 10 });
  await store.close();
  return { ticks, runs };
}

describe('kill -9 between a tick that is due and its run (T4)', () => {
  const repository = createRepository({
    'pipelines/python/hello/dagster.yaml': [
      'script: { command: [python, main.py] }',
      'schedule: { enabled: true, cron_schedule: "0 13 * * *", timezone: UTC, default_status: RUNNING }',
      '',
    ].join('\n'),
    'pipelines/python/hello/main.py': 'print("hello")\n',
  });

  it('has a case for each point that the code names', () => {
    expect(Object.keys(IS_RECORDED)).toEqual([...TICK_CRASH_POINTS]);
  });

  it.each(TICK_CRASH_POINTS)('at %s leaves one tick and one run after the next start', async (point) => {
    const home = temporaryDirectory();
    const noon = String(TICK - 3_600_000);
    const first = await life([home, repository.remote, point, noon, String(TICK + 1000), SCHEDULE]);
    expect(first.signal).toBe('SIGKILL');
    const between = await stored(home);
    const count = IS_RECORDED[point] ? 1 : 0;
    expect([between.ticks.length, between.runs.length]).toEqual([count, count]);

    const second = await life([home, repository.remote, '', String(TICK + 60_000), '', SCHEDULE]);
    expect(second.said.at(-1)).toBe('ended SUCCESS');
    const { ticks, runs } = await stored(home);
    expect(ticks.map(({ at, status, runIds }) => [at, status, runIds])).toEqual([
      [TICK, 'launched', [runs[0]!.runId]],
    ]);
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({ cause: { kind: 'schedule', schedule: SCHEDULE, tick: TICK } });
  });
});
