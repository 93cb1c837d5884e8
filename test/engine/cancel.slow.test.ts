import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CrashPoint } from '../../src/engine/step-machine.ts';
import { openTestEngine, type TestEngine } from '../helpers/engine.ts';
import { processesOfRun } from '../helpers/step-processes.ts';

let home: string;
let test: TestEngine;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'elt-cancel-'));
});
afterEach(async () => {
  await test.close();
  rmSync(home, { recursive: true, force: true });
});

/** Fails as often as it is run: another attempt would show. */
const STEP = {
  stepKey: 'a',
  files: { 'main.py': 'raise SystemExit("no")' },
  retry: { maxRetries: 5, delay: 0 },
};

describe('E6: a cancel is terminal and never revived', () => {
  it.each<[string, CrashPoint]>([
    ['before the start', 'acquired'],
    ['while it is started', 'before_spawn'],
    ['when its process is there', 'spawned'],
    ['when it has begun', 'started'],
    ['when it has ended', 'exit_seen'],
    ['when its end is recorded', 'finished'],
  ])('%s', async (_, at) => {
    const cancels: Promise<unknown>[] = [];
    test = await openTestEngine({
      home,
      crashPoint(point) {
        // Asked for at this very instant; what the engine is doing there goes on beside it.
        if (point === at && cancels.length === 0) cancels.push(cancelNow());
      },
    });
    const runId = await test.run([STEP]);
    await Promise.all(cancels);
    const canceled = (await test.store.runs.state(runId))!;
    expect(cancels).toHaveLength(1);
    expect(canceled.status).toBe('CANCELED');
    expect(canceled.steps['a']!.attempt).toBeLessThanOrEqual(2);
    const events = await test.events(runId);

    // Neither its own retry policy nor another life of the service begins it again.
    await test.close();
    test = await openTestEngine({ home });
    await test.engine.adopt();
    test.engine.wake(runId);
    const other = await test.run([{ stepKey: 'b', files: { 'main.py': '' } }]);
    expect((await test.store.runs.state(other))!.status).toBe('SUCCESS');
    expect(await test.store.runs.state(runId)).toEqual(canceled);
    expect(await test.events(runId)).toEqual(events);
    expect(processesOfRun(runId)).toEqual([]);
  });

  async function cancelNow(): Promise<void> {
    const [run] = await test.store.runs.list({ limit: 1 });
    await test.engine.cancel(run!.runId, 'me');
  }
});
