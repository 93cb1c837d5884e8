import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Definitions } from '../../src/definitions/definitions.ts';
import type { BackfillEngine } from '../../src/engine/backfill-engine.ts';
import { createBackfillEngine } from '../../src/engine/backfills/create-backfill-engine.ts';
import { createRunEngine } from '../../src/engine/engine.ts';
import type { AdvanceRun } from '../../src/engine/run-driver.ts';
import type { RunEngine } from '../../src/engine/run-engine.ts';
import { neverCrash } from '../../src/lib/crash-points.ts';
import { uuidv7 } from '../../src/lib/ids.ts';
import { createLogger } from '../../src/lib/log.ts';
import { planRun } from '../../src/plan/plan-run.ts';
import { poolLimits } from '../../src/plan/pools.ts';
import type { StepRef, StepSpec } from '../../src/plan/step-spec.ts';
import { stepSpecs } from '../../src/plan/step-spec-of.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { type SamplePipeline, sampleDefinitions, sampleSnapshot } from './sample-definitions.ts';

type Samples = Readonly<Record<string, SamplePipeline>>;
export type Outcome = 'succeed' | 'fail';

export interface BackfillWorld {
  readonly clock: FakeClock;
  store(): Store;
  runs(): RunEngine;
  backfills(): BackfillEngine;
  /** Other definitions from now on. */
  publish(pipelines: Samples): Promise<void>;
  /** How many steps are under way. */
  running(): number;
  /** Ends the oldest steps under way, at most so many. */
  finish(outcome: (spec: StepSpec) => Outcome, most?: number): Promise<number>;
  /** Looks at every unfinished run, in the order of the queue, and at every backfill, until nothing moves. */
  settle(): Promise<void>;
  /** As after `kill -9`: what was in memory is gone, steps that were under way run on. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Real store, real engines; steps do what the test says, and time is the test's. Everything is awaited. */
export async function backfillWorld(options: {
  readonly pipelines: Samples;
  readonly now: number;
  readonly maxSteps?: number;
}): Promise<BackfillWorld> {
  const home = mkdtempSync(join(tmpdir(), 'elt-backfill-'));
  const clock = fakeClock(options.now);
  const logger = createLogger('silent');
  const newId = () => uuidv7(clock.now());
  let definitions: Definitions = sampleDefinitions(options.pipelines).definitions;
  let dispatched = new Map<string, StepRef>();
  let store!: Store;
  let runs!: RunEngine;
  let backfills!: BackfillEngine;
  let advanceRun!: AdvanceRun;

  const limits = () => ({
    maxSteps: options.maxSteps ?? 4,
    maxConcurrentRuns: null,
    pools: poolLimits(definitions),
  });

  async function open(): Promise<void> {
    store = await openStore({ file: join(home, 'elt.db'), clock, logger });
    dispatched = new Map();
    runs = createRunEngine({
      store,
      definitions: () => definitions,
      limits,
      planRun,
      stepSpecs,
      newId,
      clock,
      logger,
      transport: (advance) => {
        advanceRun = advance;
        return {
          start: () => Promise.resolve('started'),
          dispatch: () => Promise.resolve(),
          cancel,
          wake: () => Promise.resolve(),
          capacity: () => Promise.resolve([]),
          adopt: () => Promise.resolve({ adopted: 0, lost: 0 }),
          close: () => Promise.resolve(),
        };
      },
    });
    backfills = createBackfillEngine({
      store,
      runs,
      definitions: () => definitions,
      limits,
      stepSpecs,
      newId,
      clock,
      logger,
      crashPoint: neverCrash,
    });
  }

  async function look(runId: string): Promise<void> {
    const advanced = await advanceRun(runId);
    for (const ref of advanced?.dispatch ?? []) {
      if (!dispatched.has(idOf(ref))) dispatched.set(idOf(ref), ref);
    }
    for (const ref of advanced?.cancel ?? []) await cancel(ref);
  }

  async function cancel(ref: StepRef): Promise<void> {
    if (!dispatched.delete(idOf(ref))) return;
    await begin(ref);
    await store.steps.finish(ref, { type: 'step_canceled', seconds: 1, forced: false }, []);
  }

  async function begin(ref: StepRef): Promise<void> {
    await store.steps.acquire(ref, 'world');
    await store.steps.started(ref, { pid: 1, envKey: 'none' });
  }

  async function publish(pipelines: Samples): Promise<void> {
    const snapshot = sampleSnapshot(pipelines);
    await store.components.applyRevision(snapshot, {
      trigger: { kind: 'poll' },
      startedAt: clock.now(),
      summary: { added: 0, changed: 0, removed: 0 },
    });
    ({ definitions } = sampleDefinitions(pipelines));
  }

  await open();
  await publish(options.pipelines);
  return {
    clock,
    store: () => store,
    runs: () => runs,
    backfills: () => backfills,
    publish,
    running: () => dispatched.size,
    async finish(outcome, most = Number.POSITIVE_INFINITY) {
      let count = 0;
      for (const [id, ref] of [...dispatched].slice(0, most)) {
        const spec = await store.steps.spec(ref);
        dispatched.delete(id);
        await begin(ref);
        const written = spec.assets.map((asset) => ({
          assetKey: asset.key,
          partitions: asset.partitions.kind === 'none' ? [] : spec.partitionKeys,
          metadata: { rows: 1 },
        }));
        if (outcome(spec) === 'succeed') {
          await store.steps.finish(ref, { type: 'step_succeeded', seconds: 1, metadata: {} }, written);
        } else {
          const error = { code: 'STEP_FAILED', message: 'no', failureClass: 'user' as const };
          await store.steps.finish(
            ref,
            { type: 'step_failed', seconds: 1, error, finishedAssets: [], failedBlockingChecks: [] },
            [],
          );
        }
        await look(ref.runId);
        count += 1;
      }
      return count;
    },
    async settle() {
      for (let seen = -1; seen !== (await store.lastEventId()); ) {
        seen = await store.lastEventId();
        const busy = new Set([...dispatched.values()].map(({ runId }) => runId));
        for (const runId of await store.runs.unfinished()) if (!busy.has(runId)) await look(runId);
        await backfills.advance();
      }
    },
    async restart() {
      await store.close();
      await open();
    },
    async close() {
      await store.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function idOf({ runId, stepKey, attempt }: StepRef): string {
  return `${runId}/${stepKey}/${attempt}`;
}
