import { describe, expect, it } from 'vitest';
import { buildDefinitions } from '../../../src/definitions/build.ts';
import type { Definitions } from '../../../src/definitions/definitions.ts';
import type { PipelineConfig } from '../../../src/discovery/pipeline-config.ts';
import { definitionsDiff } from '../../../src/plan/revision-plan/definitions-diff.ts';
import type { DefinitionChange } from '../../../src/plan/revision-plan.ts';
import type { PipelineState } from '../../../src/state/snapshot.ts';
import {
  DAILY,
  type SamplePipeline,
  sampleDefinitions,
  samplePipeline,
  sampleSnapshot,
} from '../../helpers/sample-definitions.ts';

const SCHEDULE: NonNullable<PipelineConfig['schedule']> = {
  cron: ['0 2 * * *'],
  timezone: 'UTC',
  defaultStatus: 'RUNNING',
  catchUp: 'latest',
  overlap: 'skip',
  jitterSeconds: 0,
};
const CHECK: PipelineConfig['checks'][number] = {
  name: 'has_rows',
  type: 'row_count',
  blocking: true,
  severity: 'ERROR',
  settings: { min: 1 },
};

function defs(pipelines: Readonly<Record<string, SamplePipeline>>, instance = {}): Definitions {
  return sampleDefinitions(pipelines, instance).definitions;
}

function orders(config: Partial<PipelineConfig> = {}, asset = {}): Readonly<Record<string, SamplePipeline>> {
  return { orders: { tool: 'dlt', config, assets: { dlt_orders: asset } } };
}

/** `kind key change field: from → to; …` */
function lines(changes: readonly DefinitionChange[]): string[] {
  return changes.map(({ kind, key, change, fields }) => {
    const shown = fields.map(
      ({ field, from, to }) => `${field}: ${JSON.stringify(from)} → ${JSON.stringify(to)}`,
    );
    return [`${kind} ${key} ${change}`, ...shown].join('; ');
  });
}

describe('what a revision changes', () => {
  it.each<[string, Definitions, Definitions, string[]]>([
    ['nothing', defs(orders()), defs(orders()), []],
    [
      'a new pipeline',
      defs({}),
      defs(orders({ schedule: SCHEDULE, checks: [CHECK] })),
      ['pipeline orders added', 'asset dlt_orders added', 'schedule orders_schedule added'],
    ],
    [
      'a removed one',
      defs(orders({ schedule: SCHEDULE })),
      defs({}),
      ['pipeline orders removed', 'asset dlt_orders removed', 'schedule orders_schedule removed'],
    ],
    [
      'a setting',
      defs(orders({ retryPolicy: { maxRetries: 3, delay: 60 } })),
      defs(orders({ retryPolicy: { maxRetries: 5, delay: 60 } })),
      ['pipeline orders changed; retry_policy.max_retries: 3 → 5'],
    ],
    [
      'an own name in a map',
      defs(orders({ tags: { someTag: 'a' } })),
      defs(orders({ tags: { someTag: 'b' } })),
      ['pipeline orders changed; tags.someTag: "a" → "b"'],
    ],
    [
      'the start of partitions',
      defs(orders({ partitions: DAILY })),
      defs(orders({ partitions: { ...DAILY, start: '2025-01-01' } as typeof DAILY })),
      ['pipeline orders changed; partitions.time.start: "2026-01-01" → "2025-01-01"'],
    ],
    [
      'the kind of partitions',
      defs(orders({ partitions: { kind: 'static', keys: ['a'] } })),
      defs(orders()),
      ['pipeline orders changed; partitions: {"type":"static","static":{"partition_keys":["a"]}} → null'],
    ],
    [
      'a schedule',
      defs(orders({ schedule: SCHEDULE })),
      defs(orders({ schedule: { ...SCHEDULE, cron: ['0 4 * * *'], timezone: 'Europe/Berlin' } })),
      [
        'schedule orders_schedule changed; schedule.cron_schedule: "0 2 * * *" → "0 4 * * *"; schedule.timezone: "UTC" → "Europe/Berlin"',
      ],
    ],
    [
      'a schedule that goes',
      defs(orders({ schedule: SCHEDULE })),
      defs(orders()),
      ['schedule orders_schedule removed'],
    ],
    [
      'a pipeline switched off',
      defs(orders({ schedule: SCHEDULE })),
      defs(orders({ schedule: SCHEDULE, enabled: false })),
      ['pipeline orders changed; enabled: true → false', 'schedule orders_schedule removed'],
    ],
    [
      'a check',
      defs(orders({ checks: [CHECK] })),
      defs(
        orders({
          checks: [
            { ...CHECK, settings: { min: 5 } },
            { ...CHECK, name: 'other' },
          ],
        }),
      ),
      ['check dlt_orders:has_rows changed; checks.has_rows.min: 1 → 5', 'check dlt_orders:other added'],
    ],
    [
      'what the code says of an asset',
      defs(orders({}, { columns: [{ name: 'id' }] })),
      defs(orders({}, { columns: [{ name: 'id' }, { name: 'day' }] })),
      ['asset dlt_orders changed; columns: [{"name":"id"}] → [{"name":"id"},{"name":"day"}]'],
    ],
    [
      'a dependency',
      defs(orders({}, { deps: [] })),
      defs(orders({}, { deps: ['raw'] })),
      ['asset dlt_orders changed; deps: [] → ["raw"]'],
    ],
    [
      'an override of one asset',
      defs(orders({ assets: { dlt_orders: { group: 'a' } } })),
      defs(orders({ assets: { dlt_orders: { group: 'b' } } })),
      ['pipeline orders changed; assets.dlt_orders.group: "a" → "b"'],
    ],
    [
      'automation and freshness',
      defs(orders()),
      defs(
        orders({
          automation: { condition: 'eager' },
          freshness: { lowerBoundDeltaSeconds: 60, timezone: 'UTC', severity: 'WARN' },
        }),
      ),
      [
        'pipeline orders changed; automation_condition: null → "eager"; freshness: null → {"lower_bound_delta_seconds":60,"timezone":"UTC","severity":"WARN"}',
      ],
    ],
    [
      'a limit of the instance',
      defs(orders()),
      defs(orders(), { pools: { duckdb: 1 } }),
      ['instance  changed; concurrency.pools.duckdb: null → {"limit":1}'],
    ],
  ])('%s', (_, before, after, expected) => {
    expect(lines(definitionsDiff(before, after))).toEqual(expected);
  });

  it('a place in a file, another commit and a held folder are no change', () => {
    const before = defs(orders());
    const after = of([
      {
        ...state('orders', {}),
        status: 'held',
        code: { ...state('orders', {}).code, commit: 'f'.repeat(40) },
      },
    ]);
    expect(definitionsDiff(before, after)).toEqual([]);
    expect(definitionsDiff(after, before)).toEqual([]);
  });

  it('other code is one field', () => {
    const changes = definitionsDiff(
      of([state('orders', {}, 'sha256:aaaa')]),
      of([state('orders', {}, 'sha256:bbbb')]),
    );
    expect(lines(changes)).toEqual(['pipeline orders changed; code: "aaaa" → "bbbb"']);
  });
});

describe('a folder that moved', () => {
  const old = at(state('orders', { schedule: SCHEDULE }), 'pipelines/dlt/orders');
  const renamed = at(
    {
      ...state('sales', { schedule: SCHEDULE, movedFrom: 'pipelines/dlt/orders' }),
      assets: [{ key: 'dlt_sales', kind: 'dlt', deps: [], checks: [] }],
    },
    'pipelines/dlt/sales',
  );

  it('with moved_from takes assets and schedule along', () => {
    expect(lines(definitionsDiff(of([old]), of([renamed])))).toEqual([
      'pipeline sales moved; name: "orders" → "sales"; dir: "pipelines/dlt/orders" → "pipelines/dlt/sales"; code: "digest-order" → "digest-sales"',
      'asset dlt_sales moved; key: "dlt_orders" → "dlt_sales"',
      'schedule sales_schedule moved; name: "orders_schedule" → "sales_schedule"',
    ]);
  });

  it('without it is found by equal content, and its assets are new ones', () => {
    const guess = {
      ...renamed,
      config: { ...renamed.config, movedFrom: undefined as never },
      code: { ...renamed.code, contentDigest: 'digest-orders' },
    };
    expect(lines(definitionsDiff(of([old]), of([guess]))).map((line) => line.split(';')[0])).toEqual([
      'pipeline sales moved',
      'asset dlt_orders removed',
      'asset dlt_sales added',
      'schedule orders_schedule removed',
      'schedule sales_schedule added',
    ]);
  });

  it('is not guessed where two folders are alike', () => {
    const twin = (name: string) =>
      at(
        {
          ...state(name, {}),
          code: { ...state(name, {}).code, contentDigest: 'same' },
          assets: [{ key: name, kind: 'dlt', deps: [], checks: [] }],
        },
        `pipelines/dlt/${name}`,
      );
    const kinds = definitionsDiff(of([twin('a'), twin('b')]), of([twin('c')])).filter(
      ({ kind }) => kind === 'pipeline',
    );
    expect(lines(kinds)).toEqual(['pipeline a removed', 'pipeline b removed', 'pipeline c added']);
  });

  it('under its old name only its place changed', () => {
    expect(lines(definitionsDiff(of([old]), of([at(old, 'pipelines/orders')])))).toEqual([
      'pipeline orders moved; dir: "pipelines/dlt/orders" → "pipelines/orders"',
    ]);
  });
});

function state(name: string, config: Partial<PipelineConfig>, contentDigest?: string): PipelineState {
  const made = samplePipeline(name, { tool: 'dlt', config, assets: { [`dlt_${name}`]: {} } });
  return contentDigest === undefined ? made : { ...made, code: { ...made.code, contentDigest } };
}

function at(made: PipelineState, dir: string): PipelineState {
  return { ...made, code: { ...made.code, dir }, config: { ...made.config, dir } };
}

function of(pipelines: readonly PipelineState[]): Definitions {
  const snapshot = { ...sampleSnapshot({}), pipelines };
  return buildDefinitions([{ component: 'main', revisionId: 1, snapshot }]).definitions;
}
