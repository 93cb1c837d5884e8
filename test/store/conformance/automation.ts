import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AutomationView } from '../../../src/automation/asset-view.ts';
import type { Explanation } from '../../../src/automation/explanation.ts';
import type { StepEvent } from '../../../src/events/step-event.ts';
import { ordinalToKey } from '../../../src/partitions/definition/key-order.ts';
import type { PartitionsDefinition } from '../../../src/partitions/definition/partitions-definition.ts';
import {
  ordinalsOf,
  type PartitionSubset,
  rangeSubset,
} from '../../../src/partitions/subset/partition-subset.ts';
import type { StepRef } from '../../../src/plan/step-spec.ts';
import type {
  AutomationStore,
  AutomationSubject,
  NewEvaluation,
} from '../../../src/store/automation-store.ts';
import { DAILY, DAILY_BY_CATEGORY, REGIONS } from '../../helpers/sample-definitions.ts';
import { AutomationModel, type ModelRun, WHOLE } from './automation-model.ts';
import {
  launch,
  NOON,
  OK,
  type OpenedStore,
  type OpenStore,
  plansFor,
  publish,
  range,
  record,
  running,
  type Sample,
  succeed,
} from './harness.ts';

const SINGLE = { backfillPolicy: { type: 'single_run' as const, maxPartitionsPerRun: 1 } };
const SAMPLE: Sample = {
  raw: { assets: { raw: {} }, config: { partitions: DAILY, ...SINGLE } },
  clean: { assets: { clean: { deps: ['raw'] } }, config: { partitions: DAILY, ...SINGLE } },
  shops: { assets: { shops: {} }, config: { partitions: REGIONS } },
  cube: { assets: { cube: {} }, config: { partitions: DAILY_BY_CATEGORY } },
  plain: { assets: { plain: {} } },
};
const DAYS = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'];
const KEYS: Readonly<Record<string, readonly string[]>> = {
  raw: DAYS,
  clean: DAYS,
  shops: ['us', 'eu'],
  cube: ['A|2026-01-01', 'B|2026-01-01', 'A|2026-01-02', 'B|2026-01-02'],
  plain: [WHOLE],
};
const PARTITIONS: Readonly<Record<string, PartitionsDefinition | null>> = {
  raw: DAILY,
  clean: DAILY,
  shops: REGIONS,
  cube: DAILY_BY_CATEGORY,
  plain: null,
};

type Step =
  | { readonly do: 'plan'; readonly assets: readonly string[]; readonly from: number; readonly count: number }
  | {
      readonly do: 'write';
      readonly run: number;
      readonly asset: number;
      readonly key: number;
      readonly version: string | null;
    }
  | {
      readonly do: 'check';
      readonly run: number;
      readonly asset: number;
      readonly key: number | null;
      readonly passed: boolean;
    }
  | { readonly do: 'end'; readonly run: number; readonly status: 'SUCCESS' | 'FAILURE' | 'CANCELED' }
  | { readonly do: 'look' };

/** Few assets at a time, so that they meet. */
const FAMILIES = [[['raw'], ['raw', 'clean'], ['clean']], [['shops']], [['cube']], [['plain'], ['raw']]];

const script: fc.Arbitrary<readonly Step[]> = fc
  .constantFrom(...FAMILIES)
  .chain((family) => fc.array(stepOf(family), { maxLength: 50, size: 'max' }));

function stepOf(family: readonly (readonly string[])[]): fc.Arbitrary<Step> {
  return fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('plan' as const),
        assets: fc.constantFrom(...family),
        from: fc.nat(3),
        count: fc.integer({ min: 1, max: 3 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('write' as const),
        run: fc.nat(9),
        asset: fc.nat(1),
        key: fc.nat(3),
        version: fc.constantFrom(null, 'v1', 'v2'),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('check' as const),
        run: fc.nat(9),
        asset: fc.nat(1),
        key: fc.option(fc.nat(3)),
        passed: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('end' as const),
        run: fc.nat(9),
        status: fc.constantFrom('SUCCESS' as const, 'FAILURE' as const, 'CANCELED' as const),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('look' as const) }) },
  );
}

/** Plays a script in the store and in the model at once. */
class Play {
  readonly model = new AutomationModel();
  readonly #refs = new Map<string, { ref: StepRef; n: number }>();
  opened: OpenedStore;

  constructor(opened: OpenedStore) {
    this.opened = opened;
  }

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case 'plan':
        return this.#plan(step);
      case 'write': {
        const at = this.#place(step);
        if (at === null) return;
        const { run, asset, key } = at;
        const partition = key === WHOLE ? null : key;
        await this.#report(run, asset, {
          type: 'materialization',
          asset_key: asset,
          partition,
          metadata: {},
          ...(step.version === null ? {} : { data_version: step.version }),
        });
        this.model.write(run, asset, key, step.version);
        return;
      }
      case 'check': {
        const at = this.#place({ ...step, key: step.key ?? 0 });
        if (at === null) return;
        const { run, asset } = at;
        const key = step.key === null || at.key === WHOLE ? null : at.key;
        await this.#report(run, asset, {
          type: 'check',
          asset_key: asset,
          check_name: 'rows',
          passed: step.passed,
          severity: 'WARN',
          partition: key,
          metadata: {},
        });
        this.model.result(run, asset, 'rows', key, step.passed);
        return;
      }
      case 'end':
        return this.#end(step);
      default:
    }
  }

  #run(index: number): ModelRun | null {
    const open = this.model.runs.filter(({ status }) => status === 'open');
    return open.length === 0 ? null : open[index % open.length]!;
  }

  #place(step: { readonly run: number; readonly asset: number; readonly key: number }) {
    const run = this.#run(step.run);
    if (run === null) return null;
    return {
      run,
      asset: run.assets[step.asset % run.assets.length]!,
      key: run.keys[step.key % run.keys.length]!,
    };
  }

  async #plan({ assets, from, count }: Extract<Step, { do: 'plan' }>): Promise<void> {
    const all = KEYS[assets[0]!]!;
    const keys = all.slice(from % all.length, (from % all.length) + count);
    const partitions = keys[0] === WHOLE ? { kind: 'none' as const } : { kind: 'keys' as const, keys };
    const runIds = await launch(this.opened, SAMPLE, { assets, partitions });
    if (runIds.length === 1) this.model.plan(runIds[0]!, assets, keys);
    else for (const [index, runId] of runIds.entries()) this.model.plan(runId, assets, [keys[index]!]);
  }

  async #report(run: ModelRun, asset: string, event: StepEvent): Promise<void> {
    const id = `${run.id} ${asset}`;
    const known = this.#refs.get(id) ?? { ref: await running(this.opened.store, run.id, asset), n: 0 };
    known.n += 1;
    this.#refs.set(id, known);
    expect(await this.opened.store.steps.append(known.ref, [{ n: known.n, event }])).toBe('ok');
  }

  async #end({ run: index, status }: Extract<Step, { do: 'end' }>): Promise<void> {
    const run = this.#run(index);
    if (run === null) return;
    const { store } = this.opened;
    if (status === 'SUCCESS') {
      for (const asset of run.assets) {
        const missing = run.keys.filter((key) => !this.model.hasWritten(run, asset, key));
        const ref = this.#refs.get(`${run.id} ${asset}`)?.ref ?? (await running(store, run.id, asset));
        const implied =
          missing.length === 0
            ? []
            : [
                {
                  assetKey: asset,
                  partitions: missing.filter((key) => key !== WHOLE),
                  metadata: {},
                },
              ];
        await store.steps.finish(ref, OK, implied);
        for (const key of missing) this.model.write(run, asset, key, null);
      }
      await record(store, run.id, { type: 'run_succeeded' });
    } else if (status === 'FAILURE') await record(store, run.id, { type: 'run_failed', reason: 'it broke' });
    else await record(store, run.id, { type: 'run_canceled', reason: 'asked' });
    run.status = status;
  }
}

function subjects(writesAfter: number): AutomationSubject[] {
  return Object.entries(PARTITIONS).map(([key, partitions]) => ({
    key,
    partitions,
    checks: ['rows'],
    writesAfter,
  }));
}

function keysIn(asset: string, subset: PartitionSubset): string[] {
  const partitions = PARTITIONS[asset] ?? null;
  const keys = [...ordinalsOf(subset)].map((ordinal) =>
    partitions === null ? WHOLE : ordinalToKey(partitions, ordinal)!,
  );
  return keys.sort();
}

/** Everything that a view says of an asset, in the words of the model. */
function seen(view: AutomationView, asset: string, since: number) {
  const own = view.asset(asset);
  const check = view.check(asset, 'rows');
  const shaped = (subset: PartitionSubset): string[] =>
    check.partitioned ? keysIn(asset, subset) : subset.bounds.length === 0 ? [] : [WHOLE];
  return {
    materialized: keysIn(asset, own.materialized),
    inProgress: keysIn(asset, own.inProgress),
    executionFailed: keysIn(asset, own.executionFailed),
    writes: own
      .writesSince(since)
      .flatMap(({ partitions, runId, dataChanged, codeVersion }) =>
        keysIn(asset, partitions).map((key) => ({ key, runId, dataChanged, codeVersion })),
      )
      .sort((a, b) => (a.key < b.key ? -1 : 1)),
    check: {
      partitioned: check.partitioned,
      passed: shaped(check.passed),
      failed: shaped(check.failed),
      inProgress: shaped(check.inProgress),
      executionFailed: shaped(check.executionFailed),
      results: [...new Set(check.resultsSince(since).flatMap(({ partitions }) => shaped(partitions)))].sort(),
    },
  };
}

function expected(model: AutomationModel, asset: string, since: number): ReturnType<typeof seen> {
  const keys = KEYS[asset]!;
  const own = model.asset(asset, keys);
  const check = model.check(asset, 'rows', keys);
  const sorted = (list: readonly string[]): string[] => list.toSorted();
  return {
    materialized: sorted(own.materialized),
    inProgress: sorted(own.inProgress),
    executionFailed: sorted(own.executionFailed),
    writes: model
      .writesSince(asset, keys, since)
      .map((write) => ({ ...write, codeVersion: `digest-${asset}` }))
      .sort((a, b) => (a.key < b.key ? -1 : 1)),
    check: {
      partitioned: check.partitioned,
      passed: sorted(check.passed),
      failed: sorted(check.failed),
      inProgress: sorted(check.inProgress),
      executionFailed: sorted(check.executionFailed),
      results: model.resultsSince(asset, 'rows', since, check.partitioned),
    },
  };
}

/** What automation sees and remembers. */
export function describeAutomationStore(open: OpenStore): void {
  describe('automation', () => {
    let opened: OpenedStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.close();
    });

    it('sees what a naive model sees, after every look, and after a restart', async () => {
      await fc.assert(
        fc.asyncProperty(script, async (steps) => {
          await opened.close();
          opened = await open();
          await publish(opened.store, SAMPLE);
          const play = new Play(opened);
          const looks: { readonly event: number; readonly model: number }[] = [{ event: 0, model: 0 }];
          let back = 0;
          const look = async (): Promise<void> => {
            // Sometimes from the look before, sometimes from long ago.
            back += 1;
            const since = looks[back % 3 === 0 ? Math.max(0, looks.length - 3) : looks.length - 1]!;
            const view = await play.opened.store.automation.view(subjects(since.event));
            for (const asset of Object.keys(KEYS)) {
              expect([asset, seen(view, asset, since.event)]).toEqual([
                asset,
                expected(play.model, asset, since.model),
              ]);
            }
            for (const run of play.model.runs) {
              if (
                !view
                  .asset(run.assets[0]!)
                  .writesSince(since.event)
                  .some(({ runId }) => runId === run.id)
              )
                continue;
              for (const asset of Object.keys(KEYS)) {
                expect(view.runTargets(run.id, asset)).toBe(run.assets.includes(asset));
              }
            }
            looks.push({ event: view.eventId, model: play.model.now });
          };
          for (const step of steps) {
            if (step.do === 'look') await look();
            else await play.step(step);
          }
          await look();
          opened = await opened.reopen();
          play.opened = opened;
          await look();
        }),
        {
          numRuns: 20,
          examples: [
            [
              // A failed run that wrote over what a later one, which succeeded, had written: read anew, too.
              [
                { do: 'plan', assets: ['cube'], from: 0, count: 1 },
                { do: 'plan', assets: ['cube'], from: 0, count: 1 },
                { do: 'end', run: 1, status: 'SUCCESS' },
                { do: 'write', run: 0, asset: 0, key: 0, version: null },
                { do: 'end', run: 0, status: 'FAILURE' },
              ],
            ],
            [
              // The same, first read while the earlier one was under way.
              [
                { do: 'plan', assets: ['plain'], from: 0, count: 1 },
                { do: 'plan', assets: ['plain'], from: 0, count: 1 },
                { do: 'end', run: 1, status: 'SUCCESS' },
                { do: 'look' },
                { do: 'write', run: 0, asset: 0, key: 0, version: null },
                { do: 'end', run: 0, status: 'FAILURE' },
              ],
            ],
          ],
        },
      );
    });

    it('sees an asset under another definition as that one numbers it', async () => {
      await publish(opened.store, SAMPLE);
      const play = new Play(opened);
      await play.step({ do: 'plan', assets: ['raw'], from: 1, count: 2 });
      await play.step({ do: 'end', run: 0, status: 'SUCCESS' });
      await opened.store.automation.view(subjects(0));
      const earlier = { ...DAILY, start: '2025-12-31' } as PartitionsDefinition;
      const [raw] = subjects(0);
      const view = await opened.store.automation.view([{ ...raw!, partitions: earlier }]);
      expect(view.asset('raw').materialized).toEqual({ bounds: [2, 4] });
      expect(view.asset('raw').writesSince(0)[0]!.partitions).toEqual({ bounds: [2, 4] });
      const regions = await opened.store.automation.view([{ ...raw!, partitions: REGIONS }]);
      expect(regions.asset('raw').materialized).toEqual({ bounds: [] });
    });

    it('sees what a backfill has still to write, until it ends', async () => {
      const { store, clock } = opened;
      await publish(store, SAMPLE);
      const left = async (): Promise<string[]> => {
        const view = await store.automation.view(subjects(0));
        return keysIn('raw', view.asset('raw').backfillInProgress);
      };
      expect(await left()).toEqual([]);
      await store.backfills.create({
        backfillId: 'b1',
        parentId: null,
        runs: 2,
        groups: [
          {
            definition: DAILY,
            parts: [{ assets: ['raw'], subset: rangeSubset(0, 4) }],
            policy: { type: 'multi_run', maxPartitionsPerRun: 2 },
            serial: false,
            needs: [],
          },
        ],
        request: {
          assets: ['raw'],
          partitions: { kind: 'range', start: DAYS[0]!, end: DAYS[3]! },
          fullRefresh: false,
          config: {},
          tags: {},
          cause: { kind: 'cli', user: 'ada' },
        },
      });
      expect(await left()).toEqual(DAYS);
      const cause = { kind: 'backfill', backfillId: 'b1' } as const;
      const partitions = { kind: 'keys', keys: DAYS.slice(0, 2) } as const;
      const { plans, specs } = plansFor(SAMPLE, clock, { assets: ['raw'], partitions, cause });
      const item = { item: 0, group: 0, part: 0, start: DAYS[0]!, end: DAYS[1]!, partitions: 2 };
      const launched = await store.backfills.launchItem('b1', item, plans, specs);
      expect(await left()).toEqual(DAYS);
      await succeed(store, launched!.runIds[0]!, 'raw');
      expect(await left()).toEqual(DAYS.slice(2));
      opened = await opened.reopen();
      const again = await opened.store.automation.view(subjects(0));
      expect(keysIn('raw', again.asset('raw').backfillInProgress)).toEqual(DAYS.slice(2));
      const change = { from: ['REQUESTED'], to: 'CANCELED', by: null, reason: '' } as const;
      await opened.store.backfills.setStatus('b1', change);
      const ended = await opened.store.automation.view(subjects(0));
      expect(keysIn('raw', ended.asset('raw').backfillInProgress)).toEqual([]);
      expect(ended.changedAt('raw')).toBe(ended.eventId);
    });

    describe('what an evaluation leaves', () => {
      const EXPLANATION: Explanation = {
        condition: 'and',
        label: 'eager',
        entity: 'plain',
        partitioned: false,
        candidates: 1,
        matched: 1,
        spans: [],
        children: [],
      };
      const evaluated = (assetKey: string, requested: number): NewEvaluation => ({
        assetKey,
        checkName: null,
        requested,
        spans: [],
        condition: 'eager',
        explanation: { ...EXPLANATION, entity: assetKey },
      });
      const nothing = {
        cursors: new Map<string, string>(),
        forgotten: [],
        evaluations: [],
        plans: [],
        backfill: null,
      };
      const recordOf = (evaluationId: string, more: Partial<Parameters<AutomationStore['record']>[0]>) =>
        opened.store.automation.record({
          evaluationId,
          at: opened.clock.now(),
          ...nothing,
          specs: () => ({}),
          ...more,
        });

      it('is one transaction, once: cursors, evaluations, launch and an event', async () => {
        const { store, clock } = opened;
        await publish(store, SAMPLE);
        const cause = { kind: 'automation', evaluationId: 'e1' } as const;
        const planned = plansFor(SAMPLE, clock, { assets: ['plain'], cause });
        const all = {
          cursors: new Map([
            ['plain', '{"a":1}'],
            ['plain:rows', '{"b":1}'],
          ]),
          evaluations: [evaluated('plain', 1), evaluated('raw', 0)],
          ...planned,
        };
        const launched = await recordOf('e1', all);
        expect(launched).toMatchObject({ created: true, runIds: [planned.plans[0]!.runId] });
        expect(await recordOf('e1', all)).toMatchObject({ created: false, runIds: launched!.runIds });
        expect(await store.runs.list({ limit: 5 })).toHaveLength(1);
        expect(await store.automation.cursors()).toEqual(all.cursors);
        expect(await store.automation.evaluations({ limit: 5 })).toMatchObject([
          { evaluationId: 'e1/raw', requested: 0, runIds: [], explanation: null },
          { evaluationId: 'e1/plain', requested: 1, runIds: launched!.runIds, explanation: null, at: NOON },
        ]);
        expect(await store.automation.evaluation('e1/plain')).toMatchObject({
          condition: 'eager',
          explanation: { entity: 'plain', label: 'eager' },
        });
        expect(await store.automation.evaluation('e1/nobody')).toBeNull();
        const events = await store.events({ after: 0, limit: 50, types: ['automation_evaluated'] });
        expect(events.map(({ event }) => event)).toEqual([
          { type: 'automation_evaluated', evaluationId: 'e1', requested: 1, assetKeys: ['plain', 'raw'] },
        ]);
      });

      it('keeps nothing when the launch cannot be recorded', async () => {
        const { store, clock } = opened;
        await publish(store, SAMPLE);
        const { plans } = plansFor(SAMPLE, clock, { assets: ['plain'] });
        const attempt = recordOf('e1', {
          cursors: new Map([['plain', '{}']]),
          evaluations: [evaluated('plain', 1)],
          plans,
        });
        await expect(attempt).rejects.toThrow('has no spec');
        expect(await store.automation.cursors()).toEqual(new Map());
        expect(await store.automation.evaluations({ limit: 5 })).toEqual([]);
      });

      it('overwrites and forgets cursors, and keeps them under an asset that was renamed', async () => {
        const { store } = opened;
        await publish(store, SAMPLE);
        await recordOf('e1', {
          cursors: new Map([
            ['plain', '1'],
            ['raw', '1'],
          ]),
        });
        await recordOf('e2', { cursors: new Map([['plain', '2']]), forgotten: ['raw'] });
        expect(await store.automation.cursors()).toEqual(new Map([['plain', '2']]));
        const { plain: _, ...rest } = SAMPLE;
        const dir = 'pipelines/python/plain';
        await publish(store, { ...rest, simple: { assets: { simple: {} }, config: { movedFrom: dir } } });
        expect(await store.automation.cursors()).toEqual(new Map([['simple', '2']]));
        expect(await store.events({ after: 0, limit: 9, types: ['automation_evaluated'] })).toEqual([]);
      });

      it('lists newest first, by asset, by page, and only what was asked for', async () => {
        const { store } = opened;
        await publish(store, SAMPLE);
        for (const n of range(4)) {
          await recordOf(`e${n}`, { evaluations: [evaluated('plain', n % 2), evaluated('raw', 0)] });
        }
        const ids = async (filter: Partial<Parameters<AutomationStore['evaluations']>[0]>) =>
          (await store.automation.evaluations({ limit: 2, ...filter })).map((row) => row.evaluationId);
        expect(await ids({})).toEqual(['e3/raw', 'e3/plain']);
        expect(await ids({ cursor: 'e3/plain' })).toEqual(['e2/raw', 'e2/plain']);
        expect(await ids({ assetKey: 'plain' })).toEqual(['e3/plain', 'e2/plain']);
        expect(await ids({ assetKey: 'plain', cursor: 'e2/plain' })).toEqual(['e1/plain', 'e0/plain']);
        expect(await ids({ requestedOnly: true })).toEqual(['e3/plain', 'e1/plain']);
        expect(await ids({ assetKey: 'nobody' })).toEqual([]);
        expect(await ids({ cursor: 'gone' })).toEqual([]);
      });

      it('forgets old evaluations, but the newest of each asset and the newest that asked for something', async () => {
        const { store, clock } = opened;
        await publish(store, SAMPLE);
        await recordOf('e0', { evaluations: [evaluated('plain', 1), evaluated('raw', 1)] });
        for (const [n, requested] of [1, 0, 0].entries()) {
          clock.advance(1000);
          await recordOf(`e${n + 1}`, { evaluations: [evaluated('plain', requested)] });
        }
        clock.advance(1000);
        expect(await store.automation.prune(clock.now())).toBe(2);
        const left = await store.automation.evaluations({ limit: 5 });
        expect(left.map((row) => row.evaluationId)).toEqual(['e3/plain', 'e1/plain', 'e0/raw']);
      });

      it('names static keys by the ids of the dictionary, the same ones every time', async () => {
        const ids = await opened.store.automation.staticIds(['us', 'eu']);
        expect(await opened.store.automation.staticIds(['eu'])).toEqual(new Map([['eu', ids.get('eu')!]]));
      });
    });
  });
}
