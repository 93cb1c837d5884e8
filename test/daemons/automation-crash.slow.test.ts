import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { AUTOMATION_CRASH_POINTS, type AutomationCrashPoint } from '../../src/daemons/automation.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openStore } from '../../src/store/open-store.ts';
import { temporaryDirectory } from '../helpers/git-repository.ts';
import { createRepository } from '../helpers/repository.ts';
import { SILENT } from '../store/sqlite-store.ts';

/** A life that goes on and on has failed. */
const LIFE_MS = 120_000;

/** How often the child was launched when the service died there. Every point has to be judged here. */
const LAUNCHED: Readonly<Record<AutomationCrashPoint, readonly number[]>> = {
  'automation.evaluated': [0],
  // The first look after the parent's launch records what it saw, without a launch of its own.
  'automation.recorded': [0, 1],
  'automation.run_woken': [1],
};

async function life(args: readonly string[]): Promise<{ said: readonly string[]; signal: string | null }> {
  const script = join(import.meta.dirname, '..', 'helpers', 'mortal-automation.ts');
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

async function runsOf(home: string): Promise<readonly (readonly string[])[]> {
  const store = await openStore({ file: join(home, 'elt.db'), clock: systemClock(), logger: SILENT });
  const runs = await store.runs.list({ limit: 10 });
  await store.close();
  return runs.map(({ assetKeys }) => assetKeys).reverse();
}

describe('kill -9 between an evaluation and what it asks for', () => {
  const script = 'script: { command: [python, main.py] }';
  const repository = createRepository({
    'pipelines/python/raw/dagster.yaml': `${script}\nassets: { raw: {} }\n`,
    'pipelines/python/raw/main.py': 'print("raw")\n',
    'pipelines/python/staged/dagster.yaml': `${script}\nassets: { staged: {} }\ndeps: [raw]\nautomation_condition: eager\n`,
    'pipelines/python/staged/main.py': 'print("staged")\n',
  });

  it('has a case for each point that the code names', () => {
    expect(Object.keys(LAUNCHED)).toEqual([...AUTOMATION_CRASH_POINTS]);
  });

  it.each(AUTOMATION_CRASH_POINTS)('at %s leaves one run after the next start', async (point) => {
    const home = temporaryDirectory();
    const first = await life([home, repository.remote, point]);
    expect(first.signal).toBe('SIGKILL');
    const between = (await runsOf(home)).filter((assets) => assets.includes('staged'));
    expect(LAUNCHED[point]).toContain(between.length);

    const second = await life([home, repository.remote, '']);
    expect(second.said).toEqual(['ended SUCCESS SUCCESS']);
    expect(await runsOf(home)).toEqual([['raw'], ['staged']]);
  });
});
