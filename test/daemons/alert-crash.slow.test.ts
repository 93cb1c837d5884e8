import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ALERT_CRASH_POINTS, type AlertCrashPoint } from '../../src/daemons/alert-crash-points.ts';
import { startHook } from '../helpers/alert-receivers.ts';
import { temporaryDirectory } from '../helpers/git-repository.ts';

/** A life that goes on and on has failed. */
const LIFE_MS = 60_000;

/** How often the receiver gets it, over both lives: it can tell a second one by the id. */
const POSTS: Readonly<Record<AlertCrashPoint, number>> = {
  'alert.decided': 1,
  'alert.recorded': 1,
  'alert.begun': 1,
  'alert.sent': 2,
  'alert.finished': 1,
};

async function life(home: string, url: string, crashAt: string): Promise<string | number | null> {
  const script = join(import.meta.dirname, '..', 'helpers', 'mortal-alerts.ts');
  const child = spawn(process.execPath, [script, home, url, crashAt], {
    stdio: 'inherit',
    timeout: LIFE_MS,
    killSignal: 'SIGABRT',
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return signal ?? code;
}

it('has a case for each point that the code names', () => {
  expect(Object.keys(POSTS)).toEqual([...ALERT_CRASH_POINTS]);
});

it.each(ALERT_CRASH_POINTS)('kill -9 at %s loses no alert and tells it once', async (point) => {
  const hook = await startHook();
  const home = temporaryDirectory();
  expect(await life(home, hook.url, point)).toBe('SIGKILL');
  expect(await life(home, hook.url, '')).toBe(0);
  expect(hook.posts.map(({ json }) => json['title'])).toEqual(Array(POSTS[point]).fill('users is stale'));
  expect(new Set(hook.posts.map(({ headers }) => headers['x-elt-delivery'])).size).toBe(1);
  expect(new Set(hook.posts.map(({ text }) => text)).size).toBe(1);
});
