import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTestEngine, type TestEngine, type TestStep } from '../test/helpers/engine.ts';
import { type Figure, median } from './figure.ts';

const TRIES = 10;
const MANY = 20;
const AT_ONCE = 4;

/** A script that does nothing, in the bare interpreter: what is measured is the engine, not a tool's imports. */
const NO_OP: TestStep = { stepKey: 'no_op', files: { 'main.py': '' } };

/** From the launch of a run to its recorded success: real store, supervisor and process, on this machine as it is. */
export async function benchEngine(): Promise<readonly Figure[]> {
  const home = mkdtempSync(join(tmpdir(), 'elt-bench-'));
  const test = await openTestEngine({ home, limits: { maxSteps: AT_ONCE } });
  try {
    await once(test);
    const single: number[] = [];
    for (let index = 0; index < TRIES; index++) single.push(await once(test));
    const many: number[] = [];
    for (let index = 0; index < 3; index++) many.push(await atOnce(test));
    return [
      {
        what: `one no-op python asset, launch to SUCCESS (median of ${TRIES})`,
        value: median(single),
        unit: 's',
        aim: 0.15,
      },
      { what: `${MANY} of them, ${AT_ONCE} at once (median of 3)`, value: median(many), unit: 's', aim: 1 },
    ];
  } finally {
    await test.close();
    rmSync(home, { recursive: true, force: true });
  }
}

async function once(test: TestEngine): Promise<number> {
  const begun = performance.now();
  await test.run([NO_OP]);
  return (performance.now() - begun) / 1000;
}

async function atOnce(test: TestEngine): Promise<number> {
  const begun = performance.now();
  await Promise.all(Array.from({ length: MANY }, () => test.run([NO_OP])));
  return (performance.now() - begun) / 1000;
}
