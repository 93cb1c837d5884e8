import { join } from 'node:path';
import { createAutomation } from '../../src/daemons/automation.ts';
import type { Definitions } from '../../src/definitions/definitions.ts';
import { type CrashHook, neverCrash } from '../../src/lib/crash-points.ts';
import { uuidv7 } from '../../src/lib/ids.ts';
import { createLogger } from '../../src/lib/log.ts';
import type { RunRequest } from '../../src/plan/run-plan.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { RunSummary, Store } from '../../src/store/store.ts';
import { fakeClock } from '../helpers/fake-clock.ts';
import { temporaryDirectory } from '../helpers/git-repository.ts';
import { type SamplePipeline, sampleDefinitions } from '../helpers/sample-definitions.ts';
import { fail, launch, publish, record, running, succeed } from '../store/conformance/harness.ts';

export const SECOND = 1000;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export type Sample = Readonly<Record<string, SamplePipeline>>;

/** Automation over a real store and a clock that only the test moves; runs are played by hand. */
export async function openAutomation(sample: Sample, at: number, crashPoint: CrashHook = neverCrash) {
  const clock = fakeClock(at);
  const logger = createLogger('silent');
  const file = join(temporaryDirectory(), 'elt.db');
  const open = () => openStore({ file, clock, logger });
  let store = await open();
  let definitions = await publishAll(store, sample);
  let present = sample;
  const woken: string[] = [];
  let advanced = 0;
  const begin = (s: Store) =>
    createAutomation({
      store: s,
      clock,
      logger,
      components: { definitions: () => definitions },
      engine: { wake: (runId) => void woken.push(runId) },
      backfills: {
        advance: async () => {
          advanced += 1;
          return { submitted: 0, ended: 0, nextAt: null };
        },
      },
      newId: () => uuidv7(clock.now()),
      crashPoint,
    });
  let automation = begin(store);
  const all = (): Promise<readonly RunSummary[]> => store.runs.list({ limit: 1000 });
  return {
    clock,
    woken,
    advanced: () => advanced,
    get store() {
      return store;
    },
    get automation() {
      return automation;
    },
    async edit(next: Sample) {
      present = next;
      definitions = await publishAll(store, next);
    },
    async restart() {
      await store.close();
      store = await open();
      automation = begin(store);
    },
    /** One look a second later; the runs that it launched, as `asset+asset@partition`. */
    async look(seconds = 1): Promise<string[]> {
      clock.advance(seconds * SECOND);
      const before = new Set((await all()).map((run) => run.runId));
      await automation.look();
      return (await all())
        .filter((run) => !before.has(run.runId))
        .map(shown)
        .reverse();
    },
    /** Somebody launches assets by hand. */
    async launch(assets: readonly string[], keys: readonly string[] = []): Promise<string> {
      const partitions: RunRequest['partitions'] =
        keys.length === 0 ? { kind: 'none' } : { kind: 'keys', keys };
      const [runId] = await launch({ store, clock } as never, present, { assets, partitions });
      return runId as string;
    },
    /** Every step of the newest run that is under way succeeds, or of this one. */
    async succeed(runId?: string): Promise<void> {
      const id = runId ?? (await newest(store));
      const plan = await store.runs.plan(id);
      for (const { stepKey } of plan!.steps.slice(0, -1)) {
        const ref = await running(store, id, stepKey);
        const spec = await store.steps.spec(ref);
        const implied = spec.assets.map((asset) => ({
          assetKey: asset.key,
          partitions: asset.partitions.kind === 'none' ? [] : spec.partitionKeys,
          metadata: {},
        }));
        await store.steps.finish(ref, { type: 'step_succeeded', seconds: 1, metadata: {} }, implied);
      }
      await succeed(store, id, plan!.steps.at(-1)!.stepKey);
    },
    async fail(runId?: string): Promise<void> {
      const id = runId ?? (await newest(store));
      await fail(store, id, (await store.runs.plan(id))!.steps[0]!.stepKey);
    },
    async cancel(runId: string): Promise<void> {
      await record(store, runId, { type: 'run_canceled', reason: 'asked' });
    },
    /** A check's result, reported by a step under way. */
    async check(
      runId: string,
      result: { asset: string; check: string; passed: boolean; partition?: string },
    ): Promise<void> {
      const plan = await store.runs.plan(runId);
      const step = plan!.steps.find(({ assets }) => assets.some(({ key }) => key === result.asset))!;
      const ref = await running(store, runId, step.stepKey);
      const spec = await store.steps.spec(ref);
      const { asset, check, passed, partition } = result;
      await store.steps.append(ref, [
        { n: 1, event: { type: 'materialization', asset_key: asset, partition, metadata: {} } },
        {
          n: 2,
          event: {
            type: 'check',
            asset_key: asset,
            check_name: check,
            passed,
            severity: 'ERROR',
            partition,
            metadata: {},
          },
        },
      ]);
      const implied = spec.assets
        .filter(({ key }) => key !== asset)
        .map(({ key }) => ({ assetKey: key, partitions: spec.partitionKeys, metadata: {} }));
      await store.steps.finish(ref, { type: 'step_succeeded', seconds: 1, metadata: {} }, implied);
      await record(store, runId, { type: 'run_succeeded' });
    },
    runs: async () => (await all()).map(shown).reverse(),
    close: async () => store.close(),
  };
}

async function newest(store: Store): Promise<string> {
  const [run] = await store.runs.list({ statuses: ['QUEUED', 'STARTED'], limit: 1 });
  if (run === undefined) throw new Error('no run is under way');
  return run.runId;
}

function shown({ assetKeys, partitions }: RunSummary): string {
  const what = [...assetKeys].join('+');
  switch (partitions.kind) {
    case 'none':
      return what;
    case 'key':
      return `${what}@${partitions.key}`;
    case 'range':
      return `${what}@${partitions.start}...${partitions.end}`;
    case 'keys':
      return `${what}@${partitions.keys.join(',')}`;
  }
}

async function publishAll(store: Store, sample: Sample): Promise<Definitions> {
  await publish(store, sample);
  return sampleDefinitions(sample).definitions;
}
