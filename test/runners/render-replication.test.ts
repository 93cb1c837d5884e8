import { describe, expect, it } from 'vitest';
import {
  chosenStreams,
  isTablePattern,
  type RenderOptions,
  type Replication,
  renderReplication,
  variablesOf,
} from '../../src/runners/sling/render-replication.ts';

const DAY = { start: Date.parse('2026-01-03T00:00:00Z'), end: Date.parse('2026-01-04T00:00:00Z') };
const REPLICATION: Replication = {
  source: 'MY_PG',
  target: 'MY_SQLITE',
  defaults: { mode: 'incremental', source_options: { format: 'csv' } },
  streams: {
    'public.orders': {
      object: 'main.orders',
      primary_key: ['id'],
      update_key: 'updated_at',
      source_options: { limit: 5 },
    },
    'file://data/x.csv': { object: 'main.x', update_key: 'updated_at', primary_key: ['id'] },
    own: {
      sql: "select * from t where at >= '{START}' and at < '{END}'",
      object: 'main.own',
      mode: 'snapshot',
    },
    'public.null': null,
    keyless: { update_key: 'at' },
    off: { disabled: true },
  },
};

function render(stream: string, options: Partial<RenderOptions> = {}, replication = REPLICATION) {
  return renderReplication(replication, {
    stream,
    window: null,
    timezone: 'UTC',
    partitionKey: null,
    dimensions: {},
    fullRefresh: false,
    partitioned: options.window != null || options.partitionKey != null,
    ...options,
  });
}

describe('renderReplication', () => {
  it('keeps one stream, connections and defaults', () => {
    expect(render('public.null')).toEqual({
      content: {
        source: 'MY_PG',
        target: 'MY_SQLITE',
        defaults: REPLICATION.defaults,
        streams: { 'public.null': { mode: 'incremental', source_options: { format: 'csv' } } },
      },
      mode: 'incremental',
      object: 'public.null',
      updateKey: null,
      ranges: null,
      cursor: null,
      warnings: [],
    });
  });

  it('makes a backfill of a window, whose end Sling would include', () => {
    const rendered = render('public.orders', { window: DAY, partitionKey: '2026-01-03' });
    const { content, mode, ranges, warnings } = rendered;
    expect(ranges?.timestamp).toBe('2026-01-03 00:00:00,2026-01-03 23:59:59.999999');
    expect(mode).toBe('backfill');
    expect(warnings).toEqual([]);
    expect(content.env).toEqual({
      START: '2026-01-03 00:00:00',
      END: '2026-01-04 00:00:00',
      PARTITION_KEY: '2026-01-03',
    });
    expect(content.streams).toEqual({
      'public.orders': {
        object: 'main.orders',
        primary_key: ['id'],
        update_key: 'updated_at',
        mode: 'backfill',
        source_options: { format: 'csv', limit: 5 },
      },
    });
  });

  it.each([
    ['a file, of which Sling reads all', 'file://data/x.csv', 'incremental', 1],
    ['a stream that uses the placeholders itself', 'own', 'snapshot', 0],
    ['a table without update_key', 'public.null', 'incremental', 1],
    ['a table without a key to replace rows by', 'keyless', 'incremental', 1],
  ])('leaves the mode of %s', (_, stream, mode, warned) => {
    const rendered = render(stream, { window: DAY, partitionKey: '2026-01-03' });
    expect(rendered.mode).toBe(mode);
    expect(rendered.ranges).toBeNull();
    expect(rendered.warnings).toHaveLength(warned);
  });

  it('gives a static and a 2-D key by name, under the names that the file has itself', () => {
    const replication = { ...REPLICATION, env: { PARTITION_KEY: 'mine', OTHER: '$OTHER' } };
    const { content } = render(
      'own',
      { partitionKey: 'A|2026-01-03', dimensions: { category: 'A' } },
      replication,
    );
    expect(content.env).toEqual({ PARTITION_KEY: 'mine', PARTITION_KEY_CATEGORY: 'A', OTHER: '$OTHER' });
  });

  it('refreshes fully only what is not partitioned', () => {
    expect(render('public.orders', { fullRefresh: true }).mode).toBe('full-refresh');
    const partition = render('public.orders', { fullRefresh: true, window: DAY, partitionKey: '2026-01-03' });
    expect(partition.mode).toBe('backfill');
    expect(partition.warnings).toEqual([expect.stringContaining('the other partitions are kept')]);
  });
});

it('takes the kind of a cursor from the stream, else from the defaults', () => {
  const replication = (own: NonNullable<Replication['streams']>[string]): Replication => ({
    defaults: { update_key: 'at', meta: { dagster: { cursor: 'date' } } },
    streams: { 'public.orders': own },
  });
  expect(render('public.orders', {}, replication({})).cursor).toBe('date');
  const own = { meta: { dagster: { cursor: 'epoch_seconds' } } };
  expect(render('public.orders', {}, replication(own)).cursor).toBe('epoch_seconds');
});

it.each([
  ['public.*', true],
  ['public.sales_*', true],
  ['public.orders', false],
  ['*', false],
  ['file://data/*.csv', false],
])('%s stands for tables of a schema: %s', (name, expected) => {
  expect(isTablePattern(name)).toBe(expected);
});

it('chooses the streams that are not disabled, in the order of the file', () => {
  expect(chosenStreams(REPLICATION, [])).toEqual([
    'public.orders',
    'file://data/x.csv',
    'own',
    'public.null',
    'keyless',
  ]);
  expect(chosenStreams(REPLICATION, ['own', 'off'])).toEqual(['own']);
});

it('knows the variables that the env block takes from the process', () => {
  expect(variablesOf({ env: { A: '$FIRST', B: '${SECOND}', C: 'text $no', D: 3 } })).toEqual([
    'FIRST',
    'SECOND',
  ]);
});
