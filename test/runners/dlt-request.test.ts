import { describe, expect, it } from 'vitest';
import type { PartitionsDefinition } from '../../src/partitions/definition/partitions-definition.ts';
import type { PlannedAsset } from '../../src/plan/run-plan.ts';
import type { StepSpec } from '../../src/plan/step-spec.ts';
import { dltDataDir, dltRequest } from '../../src/runners/dlt/request.ts';
import { partitionsOfStep, portionsOfStep, portionVariables } from '../../src/runners/step-partitions.ts';
import { dayPartition, stepSpec } from '../helpers/run-step-command.ts';

const NOW = Date.parse('2026-03-01T00:00:00Z');
const DAILY: PartitionsDefinition = {
  kind: 'time',
  start: '2026-01-01',
  end: null,
  cron: '0 0 * * *',
  timezone: 'Europe/Vienna',
  fmt: '%Y-%m-%d',
  endOffset: 0,
  exclusions: [],
};
const REGIONS: PartitionsDefinition = { kind: 'static', keys: ['us', 'eu', 'asia'] };
const DLT = {
  script: 'pipeline.py',
  sourceArgs: {},
  resources: [],
  assetPer: 'pipeline' as const,
  incremental: {},
};

const TRANSLATOR = { sourceKey: 'name' as const, modelKey: 'name' as const };

function spec(partitions: PartitionsDefinition | undefined, fields: Partial<StepSpec>): StepSpec {
  return stepSpec('dlt', { dlt: DLT, ...(partitions && { partitions }) }, fields);
}

function asset(resource: string): PlannedAsset {
  return {
    key: `dlt_shop/${resource}`,
    resource,
    partitions: { kind: 'none' },
    blockingChecks: [],
    codeVersion: '1',
  };
}

describe('partitionsOfStep', () => {
  const window = (start: string, end: string) => ({ start: Date.parse(start), end: Date.parse(end) });

  it('is empty for a step without partitions', () => {
    expect(partitionsOfStep(spec(undefined, {}), NOW)).toEqual({ each: [], span: null });
  });

  it('takes a single key with the window of the spec', () => {
    expect(partitionsOfStep(spec(DAILY, dayPartition('2026-01-05')), NOW)).toEqual({
      each: [{ key: '2026-01-05', dimensions: {}, window: dayPartition('2026-01-05').window }],
      span: dayPartition('2026-01-05').window,
    });
  });

  it('spells out a range of which the spec has only the ends, each with its own window in its zone', () => {
    const span = window('2026-03-27T23:00:00Z', '2026-03-30T22:00:00Z');
    const { each, span: found } = partitionsOfStep(
      spec(DAILY, {
        partitions: { kind: 'range', start: '2026-03-28', end: '2026-03-30' },
        partitionKeys: ['2026-03-28', '2026-03-30'],
        window: span,
      }),
      NOW,
    );
    expect(found).toEqual(span);
    // The clocks go forward on the 29th: that day has 23 hours.
    expect(each).toEqual([
      { key: '2026-03-28', dimensions: {}, window: window('2026-03-27T23:00:00Z', '2026-03-28T23:00:00Z') },
      { key: '2026-03-29', dimensions: {}, window: window('2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z') },
      { key: '2026-03-30', dimensions: {}, window: window('2026-03-29T22:00:00Z', '2026-03-30T22:00:00Z') },
    ]);
  });

  it('has no span for keys that need not be neighbours, and none for static keys', () => {
    const keys = ['2026-01-05', '2026-01-09'];
    const some = partitionsOfStep(
      spec(DAILY, {
        partitions: { kind: 'keys', keys },
        partitionKeys: keys,
        window: window('2026-01-04T23:00:00Z', '2026-01-09T23:00:00Z'),
      }),
      NOW,
    );
    expect(some.span).toBeNull();
    expect(some.each.map(({ key }) => key)).toEqual(keys);
    const regions = partitionsOfStep(
      spec(REGIONS, {
        partitions: { kind: 'range', start: 'us', end: 'asia' },
        partitionKeys: ['us', 'eu', 'asia'],
      }),
      NOW,
    );
    expect(regions).toEqual({
      each: ['us', 'eu', 'asia'].map((key) => ({ key, dimensions: {}, window: null })),
      span: null,
    });
  });

  it('takes 2-D keys apart', () => {
    const definition: PartitionsDefinition = {
      kind: 'multi',
      dimensions: { date: { ...DAILY, timezone: 'UTC' }, category: { kind: 'static', keys: ['A', 'B'] } },
    };
    const keys = ['A|2026-01-05', 'B|2026-01-05'];
    const { each, span } = partitionsOfStep(
      spec(definition, { partitions: { kind: 'keys', keys }, partitionKeys: keys }),
      NOW,
    );
    expect(span).toBeNull();
    expect(each[1]).toEqual({
      key: 'B|2026-01-05',
      dimensions: { category: 'B', date: '2026-01-05' },
      window: dayPartition('2026-01-05').window,
    });
  });
});

describe('portionsOfStep', () => {
  const daily: PartitionsDefinition = {
    kind: 'multi',
    dimensions: { date: { ...DAILY, timezone: 'UTC' }, category: { kind: 'static', keys: ['A', 'B'] } },
  };
  const weekly: PartitionsDefinition = {
    kind: 'multi',
    dimensions: {
      date: { ...DAILY, timezone: 'UTC', cron: '0 0 * * 1' },
      category: { kind: 'static', keys: ['A', 'B'] },
    },
  };

  it('takes a stretch of time at once, and a rectangle of keys one by one with the right rhythm', () => {
    const range = { start: Date.parse('2026-01-05T00:00:00Z'), end: Date.parse('2026-01-19T00:00:00Z') };
    const time = spec(
      { ...DAILY, timezone: 'UTC' },
      { partitions: { kind: 'range', start: '2026-01-05', end: '2026-01-18' }, window: range },
    );
    expect(portionsOfStep(time, NOW)).toEqual([{ key: null, dimensions: {}, window: range }]);

    const dbt = {
      vars: {},
      assetSets: [daily, weekly].map((partitions, index) => ({ select: `tag:${index}`, partitions })),
      translator: TRANSLATOR,
    };
    const step = stepSpec(
      'dbt',
      { dbt },
      { partitions: { kind: 'range', start: 'A|2026-01-05', end: 'B|2026-01-12' }, window: range },
    );
    const portions = portionsOfStep(step, NOW);
    expect(portions.map(({ key }) => key)).toEqual([
      'A|2026-01-05',
      'A|2026-01-12',
      'B|2026-01-05',
      'B|2026-01-12',
    ]);
    expect(portions[1]?.window).toEqual({ start: Date.parse('2026-01-12T00:00:00Z'), end: range.end });
  });

  it('takes the definition that a dbt model has of its own', () => {
    const monthly = { ...DAILY, timezone: 'UTC', cron: '0 0 1 * *' };
    const regional: PartitionsDefinition = {
      kind: 'multi',
      dimensions: { date: monthly, category: { kind: 'static', keys: ['A', 'B'] } },
    };
    const step = stepSpec(
      'dbt',
      { dbt: { vars: {}, assetSets: [{ select: 'tag:daily', partitions: daily }], translator: TRANSLATOR } },
      {
        assets: [{ ...asset('x'), key: 'marts/months', resource: 'model.shop.months' }],
        partitions: { kind: 'range', start: 'A|2026-01-01', end: 'B|2026-01-01' },
        window: { start: Date.parse('2026-01-01T00:00:00Z'), end: Date.parse('2026-02-01T00:00:00Z') },
      },
    );
    const config = { ...step.config, assets: { months: { partitions: regional } } };
    expect(portionsOfStep({ ...step, config }, NOW).map(({ key, window }) => [key, window])).toEqual([
      ['A|2026-01-01', step.window],
      ['B|2026-01-01', step.window],
    ]);
  });

  it('names a partition to the process in its own zone', () => {
    const window = { start: Date.parse('2026-01-04T23:00:00Z'), end: Date.parse('2026-01-05T23:00:00Z') };
    expect(
      portionVariables({ key: 'A|2026-01-05', dimensions: { 'my-side': 'A' }, window }, 'Europe/Vienna'),
    ).toEqual({
      ELT_PARTITION_KEY: 'A|2026-01-05',
      ELT_PARTITION_KEY_MY_SIDE: 'A',
      ELT_PARTITION_START: '2026-01-05T00:00:00+01:00',
      ELT_PARTITION_END: '2026-01-06T00:00:00+01:00',
    });
  });
});

describe('dltRequest', () => {
  const request = (step: StepSpec) => dltRequest(step, partitionsOfStep(step, NOW), '/state');

  it('selects the resources of its assets, else those of dagster.yaml, else everything', () => {
    expect(request(spec(undefined, { assets: [asset('a'), asset('b')] })).resources).toEqual(['a', 'b']);
    expect(request(stepSpec('dlt', { dlt: { ...DLT, resources: ['c'] } })).resources).toEqual(['c']);
    expect(request(spec(undefined, {})).resources).toBeNull();
  });

  it('drops resources for a full refresh, but never for one partition', () => {
    expect(request(spec(undefined, { fullRefresh: true }))).toMatchObject({
      refresh: 'drop_resources',
      warnings: [],
    });
    expect(request(spec(DAILY, { fullRefresh: true, ...dayPartition('2026-01-05') }))).toMatchObject({
      refresh: null,
      warnings: [expect.stringContaining('the other partitions are kept')],
    });
  });

  it('writes windows in the form that Python 3.10 reads', () => {
    expect(request(spec(DAILY, dayPartition('2026-01-05')))).toMatchObject({
      partitioned: true,
      span: { start: '2026-01-05T00:00:00+00:00', end: '2026-01-06T00:00:00+00:00' },
    });
  });

  it('gives each partition selection a working folder of its own', () => {
    const [a, b, again] = ['2026-01-05', '2026-01-06', '2026-01-05'].map((day) =>
      dltDataDir(spec(DAILY, dayPartition(day)), '/state'),
    );
    expect(a).toMatch(/^\/state\/dlt\/partitions\/[0-9a-f]{16}$/);
    expect(b).not.toBe(a);
    expect(again).toBe(a);
    expect(dltDataDir(spec(undefined, {}), '/state')).toBe('/state/dlt');
  });

  it('gives a resource that is loaded alone a pipeline name of its own, and folders of its own for partitions', () => {
    const dlt = { ...DLT, assetPer: 'resource' as const };
    const alone = (maxConcurrent: number, assets: PlannedAsset[], fields: Partial<StepSpec> = {}) =>
      stepSpec('dlt', { dlt, maxConcurrent, partitions: DAILY }, { assets, ...fields });
    expect(request(alone(1, [asset('a'), asset('b')]))).toMatchObject({
      own_resource: null,
      assets_share_state: true,
      lock_dir: expect.stringMatching(/\/\.locks$/),
    });
    expect(request(alone(2, [asset('a')]))).toMatchObject({ own_resource: 'a', assets_share_state: true });
    const day = dayPartition('2026-01-05');
    expect(request(alone(2, [asset('a')], day))).toMatchObject({
      own_resource: 'a',
      assets_share_state: false,
    });
    const dirs = [alone(2, [asset('a')], day), alone(2, [asset('b')], day), alone(1, [asset('a')], day)];
    expect(new Set(dirs.map((step) => dltDataDir(step, '/state'))).size).toBe(3);
  });

  it('asks for the declared sources of its assets; without assets for all of them', () => {
    const source = (name: string) => ({
      name,
      sourceModule: `${name}_module`,
      sourceName: name,
      sourceArgs: {},
      datasetName: `raw_${name}`,
    });
    const dlt = { ...DLT, sources: [source('crm'), source('web')] };
    const one = request(stepSpec('dlt', { dlt }, { assets: [asset('web')] }));
    expect(one.sources).toEqual([
      { name: 'web', module: 'web_module', source: 'web', args: {}, dataset: 'raw_web' },
    ]);
    expect(one).toMatchObject({
      resources: null,
      assets: [{ key: 'dlt_shop/web', resource: null, source: 'web' }],
    });
    const all = request(stepSpec('dlt', { dlt: { ...dlt, datasetName: 'raw' } }, { assets: [] }));
    expect(all.sources.map(({ name, dataset }) => [name, dataset])).toEqual([
      ['crm', 'raw'],
      ['web', 'raw'],
    ]);
  });

  it('words contracts as dlt does, and says what becomes of loads that were left', () => {
    const asked = (more: object) => request(stepSpec('dlt', { dlt: { ...DLT, ...more } }));
    expect(asked({})).toMatchObject({ schema_contract: null, on_pending: 'load', on_uncertain: 'fail' });
    expect(asked({ schemaContract: 'freeze', onPending: 'abort', onUncertain: 'skip' })).toMatchObject({
      schema_contract: 'freeze',
      on_pending: 'abort',
      on_uncertain: 'skip',
    });
    expect(asked({ schemaContract: { columns: 'evolve', dataType: 'freeze' } }).schema_contract).toEqual({
      columns: 'evolve',
      data_type: 'freeze',
    });
  });
});
