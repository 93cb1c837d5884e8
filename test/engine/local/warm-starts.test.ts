import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { WarmNeed } from '../../../src/engine/local/warm/warm-starts.ts';
import { findPython } from '../../../src/runners/environments/find-python.ts';
import { type WarmScripts, warmScripts } from '../../helpers/warm-script.ts';

const NEVER = new AbortController().signal;

let home: string;
let scripts: WarmScripts;
let need: WarmNeed;

beforeEach(async () => {
  need = { tool: 'dlt', envKey: 'bare', python: (await findPython(process.env)).executable };
  home = mkdtempSync(join(tmpdir(), 'elt-warm-'));
  const preload = `open(${JSON.stringify(join(home, 'starts'))}, "a").write("x")`;
  scripts = warmScripts({ idleMs: 300 }, { preload });
});
afterEach(async () => {
  await scripts.remove();
  rmSync(home, { recursive: true, force: true });
});

it('a server that no step could use ends as one that is idle, and such steps start no other', async () => {
  const { warmStarts } = scripts;
  const unfit = { PYTHONHASHSEED: '1' };
  expect(await warmStarts.serverFor(need, unfit, NEVER)).toBeNull();
  expect(warmStarts.servers()).toHaveLength(1);
  await expect.poll(() => warmStarts.servers(), { timeout: 10_000 }).toEqual([]);

  expect(await warmStarts.serverFor(need, unfit, NEVER)).toBeNull();
  await warmStarts.close();
  expect(readFileSync(join(home, 'starts'), 'utf8')).toBe('x');
});

it('a process that cannot even be made is a cold start, this time and the next', async () => {
  const impossible = { ...need, python: '/no\0where/python' };
  for (const _ of [1, 2]) expect(await scripts.warmStarts.serverFor(impossible, {}, NEVER)).toBeNull();
});

it('the end of the service does not wait for a server that does not come up', async () => {
  const marked = join(home, 'sleeps');
  const slow = warmScripts(
    {},
    {
      preload: `import sys, time\nif sys.argv[1] == "warm":\n    open(${JSON.stringify(marked)}, "w")\n    time.sleep(60)`,
    },
  );
  const asked = slow.warmStarts.serverFor(need, {}, NEVER);
  await expect.poll(() => existsSync(marked), { timeout: 10_000 }).toBe(true);
  await slow.remove();
  expect(await asked).toBeNull();
});
