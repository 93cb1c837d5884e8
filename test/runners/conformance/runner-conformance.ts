import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventRecord } from '../../../src/events/run-event.ts';
import { isRunning, processesOfRun } from '../../helpers/step-processes.ts';
import type { Phase, ToolUnderTest } from './scene.ts';
import { ToolWorld } from './world.ts';

export type Case =
  | 'success'
  | 'failure'
  | 'retry'
  | 'E3: exit 1 after a good commit'
  | 'time-out'
  | 'too little memory'
  | 'cancel while waiting'
  | 'cancel in a retry wait'
  | `cancel: ${Phase}`
  | `kill of the step: ${Phase}`
  | `kill of the supervisor: ${Phase}`
  | 'kill of the service';

const PHASES: readonly Phase[] = ['start', 'running', 'loading', 'finishing'];

/**
 * What every runner owes, with its real tool: result and class, order of events, the log whole, every row once after
 * whatever befell the first attempt, and no process left.
 * @param isWanted chooses cases; all of them unless said otherwise
 */
export function describeRunner(tool: ToolUnderTest, isWanted: (name: Case) => boolean = () => true): void {
  let world: ToolWorld;
  const test = (name: Case, body: () => Promise<void>): void => {
    if (isWanted(name)) it(name, body);
  };

  async function expectWhole(runId: string): Promise<void> {
    const state = await world.state(runId);
    const [step] = Object.values(state.steps);
    expect(step!.error === null ? state.status : step!.error).toBe('SUCCESS');
    expect(await tool.rows(world.stage)).toEqual(tool.whole);
    const events = await world.engine.events(runId);
    expectOrder(events, step!.attempt);
    // A retry says only what it still had to do.
    if (step!.attempt === 1) expectLog(await world.engine.log(runId, step!.stepKey));
    expectNothingLeft(runId);
  }

  function expectLog(lines: readonly string[]): void {
    let from = 0;
    for (const wanted of tool.log) {
      const at = lines.findIndex((line, index) => index >= from && wanted.test(line));
      expect(at, `${String(wanted)} in\n${lines.join('\n')}`).toBeGreaterThanOrEqual(0);
      from = at + 1;
    }
  }

  function expectNothingLeft(runId: string): void {
    expect(processesOfRun(runId)).toEqual([]);
  }

  async function failures(runId: string): Promise<readonly EventRecord[]> {
    return (await world.engine.events(runId)).filter(({ event }) => event.type === 'step_failed');
  }

  /** One attempt failed; what it had committed is no success, and is not committed once more by the retry. */
  async function expectRecovered(runId: string): Promise<void> {
    const [step] = Object.values((await world.state(runId)).steps);
    expect(await failures(runId)).toHaveLength(1);
    if (step!.status === 'succeeded') {
      expect(step).toMatchObject({ attempt: 2, retriesSpent: 1 });
      return expectWhole(runId);
    }
    // It had told of all that it wrote: nothing is left for a retry.
    expect(step).toMatchObject({ status: 'failed', attempt: 1 });
    const { assets } = (await world.engine.store.runs.plan(runId))!.steps[0]!;
    expect(new Set(step!.finishedAssets)).toEqual(new Set(assets.map(({ key }) => key)));
    expect(await tool.rows(world.stage)).toEqual(tool.whole);
    expectNothingLeft(runId);
  }

  async function endsCanceled(runId: string): Promise<void> {
    await world.engine.engine.finished(runId);
    const state = await world.state(runId);
    expect(state.status).toBe('CANCELED');
    expectNothingLeft(runId);
    // A load that is tried again finds nothing in its way, and nothing of what was canceled twice.
    await expectWhole(await world.run({ replaces: true }));
  }

  describe(tool.name, () => {
    beforeEach(async () => {
      world = await ToolWorld.open(tool);
    });
    afterEach(async () => {
      await world.close();
    });

    test('success', async () => {
      await expectWhole(await world.run({}));
    });

    test('failure', async () => {
      const runId = await world.run({ fails: 'always' });
      const [step] = Object.values((await world.state(runId)).steps);
      expect(step).toMatchObject({
        status: 'failed',
        attempt: 1,
        error: {
          failureClass: tool.failure.failureClass,
          message: expect.stringMatching(tool.failure.message) as string,
        },
      });
      expectOrder(await world.engine.events(runId), 1);
      expectNothingLeft(runId);
    });

    test('retry', async () => {
      const runId = await world.run({ fails: 'first' }, { retry: { maxRetries: 1, delay: 0.05 } });
      const [step] = Object.values((await world.state(runId)).steps);
      expect(step).toMatchObject({ attempt: 2, retriesSpent: 1 });
      await expectWhole(runId);
    });

    if (tool.phases.includes('finishing')) {
      test('E3: exit 1 after a good commit', async () => {
        const runId = await world.run({ fails: 'late' }, { retry: { maxRetries: 1, delay: 0 } });
        await expectRecovered(runId);
      });
    }

    test('time-out', async () => {
      const runId = await world.run(
        { hold: 'running', replaces: true },
        { timeoutSeconds: 2, graceMs: 10_000 },
      );
      const [step] = Object.values((await world.state(runId)).steps);
      expect(step!.error).toMatchObject({ code: 'STEP_TIMEOUT', failureClass: 'timeout' });
      expectNothingLeft(runId);
      await expectWhole(await world.run({ replaces: true }));
    });

    if (tool.tooLittleMemory !== null) {
      const limits = { memoryBytes: tool.tooLittleMemory };
      test('too little memory', async () => {
        const { spec, config, ...step } = world.step({ replaces: true });
        const limited = { ...step, config: { ...config, limits }, spec: { ...spec, limits } };
        const runId = await world.engine.run([limited]);
        const [failed] = Object.values((await world.state(runId)).steps);
        expect(failed!.error, failed!.error?.message).toMatchObject({
          code: 'STEP_LIMIT',
          failureClass: 'limit',
          message: expect.stringMatching(/limits\.memory in pipelines\/\w+\/\w+\/dagster\.yaml/) as string,
        });
        expectNothingLeft(runId);
        await expectWhole(await world.run({ replaces: true }));
      });
    }

    test('cancel while waiting', async () => {
      const runId = await world.launch({}, { pools: ['closed'] });
      await world.engine.seen(runId, ({ event }) => event.type === 'run_enqueued');
      await world.engine.engine.cancel(runId, 'test');
      await world.engine.engine.finished(runId);
      const state = await world.state(runId);
      expect([state.status, Object.values(state.steps)[0]!.attempt]).toEqual(['CANCELED', 0]);
    });

    test('cancel in a retry wait', async () => {
      const runId = await world.launch(
        { fails: 'always', replaces: true },
        { retry: { maxRetries: 5, delay: 3_600 } },
      );
      await world.engine.seen(runId, ({ event }) => event.type === 'step_retry_scheduled');
      await world.engine.engine.cancel(runId, 'test');
      await endsCanceled(runId);
    });

    for (const phase of PHASES.filter((one) => tool.phases.includes(one))) {
      test(`cancel: ${phase}`, async () => {
        const runId = await world.launch({ hold: phase, replaces: true }, { graceMs: 10_000 });
        await world.stands(runId, phase);
        await world.engine.engine.cancel(runId, 'test');
        await world.engine.engine.finished(runId);
        const state = await world.state(runId);
        // What was through when it was told to stop has done its work, and says so.
        if (state.status === 'SUCCESS') await expectWhole(runId);
        else await endsCanceled(runId);
      });

      test(`kill of the step: ${phase}`, async () => {
        const runId = await world.launch({ hold: phase }, { retry: { maxRetries: 1, delay: 0 } });
        await world.stands(runId, phase);
        process.kill(world.processes().childPid, 'SIGKILL');
        await world.engine.engine.finished(runId);
        const { event } = (await failures(runId))[0]!;
        expect(event).toMatchObject({ error: { failureClass: 'transient', signal: 'SIGKILL' } });
        await expectRecovered(runId);
      });
    }

    test('kill of the supervisor: running', async () => {
      const runId = await world.launch({ hold: 'running' });
      await world.stands(runId, 'running');
      const { pid, childPid } = world.processes();
      process.kill(pid, 'SIGKILL');
      await world.engine.engine.finished(runId);
      expect(isRunning(childPid)).toBe(false);
      const [step] = Object.values((await world.state(runId)).steps);
      // Lost, not failed: no retry is spent, and none had to be asked for.
      expect(step).toMatchObject({ attempt: 2, retriesSpent: 0 });
      await expectWhole(runId);
    });

    test('kill of the service', async () => {
      await world.engine.close();
      const first = world.startService({ hold: 'running', isReleased: true });
      const runId = await first.says('run');
      await (tool.name === 'sling' ? world.stage.server.stalled() : first.says('held'));
      await first.says('started');
      const { childPid } = world.processes();
      await first.kill();
      expect(isRunning(childPid)).toBe(true);
      const second = world.startService({});
      await second.says('run');
      world.release();
      expect(await second.says('finished')).toBe('SUCCESS');
      await second.exited;
      await world.reopen();
      expect(Object.values((await world.state(runId)).steps)[0]).toMatchObject({ attempt: 1 });
      await expectWhole(runId);
    });
  });
}

/** Of each attempt: dispatched, started, what it says, its result, in this order; each stage ends after it began. */
function expectOrder(events: readonly EventRecord[], attempts: number): void {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const own = events.filter((record) => attemptOf(record) === attempt).map(({ event }) => event);
    const types = own.map(({ type }) => type);
    const result = types.findIndex((type) => /^step_(?:succeeded|failed|canceled|lost)$/.test(type));
    expect(types.slice(0, 2)).toEqual(['step_dispatched', 'step_started']);
    // Decisions about what follows may come after the result; nothing of the process does.
    expect(types.slice(result + 1).filter((type) => !type.startsWith('step_'))).toEqual([]);
    const open = new Set<string>();
    for (const event of own) {
      if (event.type === 'stage_start') open.add(event.stage);
      if (event.type === 'stage_end')
        expect([event.stage, open.delete(event.stage)]).toEqual([event.stage, true]);
    }
    if (types[result] !== 'step_succeeded') continue;
    expect([...open]).toEqual([]);
    expect(types.slice(0, result)).toContain('materialization');
  }
}

function attemptOf({ attempt, event }: EventRecord): number | null {
  return attempt ?? ('attempt' in event ? event.attempt : null);
}
