import { describe, expect, it } from 'vitest';
import { sanitisedParts } from '../../../src/discovery/sling/sling-assets.ts';
import { discover, keysOf, linesOf, stateOf } from '../../helpers/discover.ts';

const SET = { environment: { names: new Set(['PG', 'LAKE', 'SINCE']), passEnv: [] } };

function folder(replication: string, yaml = ''): ReturnType<typeof discover> {
  return discover(
    { 'pipelines/sling/crm/replication.yaml': replication, 'pipelines/sling/crm/dagster.yaml': yaml },
    SET,
  );
}

const STREAMS = `source: PG
target: LAKE
defaults: { mode: incremental, update_key: updated_at, object: "raw.{stream_table}" }
streams:
  public.orders:
  "public.Order Items":
    mode: full-refresh
    description: items
  public.old: { disabled: true }
  logs.*:
  file://in/x.csv:
    meta: { dagster: { asset_key: crm.files.x, deps: [a.b] } }
`;

describe('names are made as dagster-sling makes them', () => {
  it.each([
    ['public.orders', ['public', 'orders']],
    ['public."Order Items"', ['public', 'order_items']],
    ['file://data/stores.csv', ['file___data_stores', 'csv']],
    ['a..b', ['a', 'b']],
  ])('%s', (name, parts) => {
    expect(sanitisedParts(name)).toEqual(parts);
  });
});

describe('a replication', () => {
  it('is one asset by default', async () => {
    const output = await folder(STREAMS);
    expect(linesOf(output)).toEqual([]);
    expect(keysOf(output, 'crm')).toEqual(['sling_crm']);
    expect(stateOf(output, 'crm').assets[0]).toMatchObject({ deps: ['a/b'], metadata: { streams: 4 } });
  });

  it('is an asset per stream, disabled ones left out', async () => {
    const output = await folder(STREAMS, 'sling: { asset_per: stream }');
    const assets = stateOf(output, 'crm').assets;
    expect(assets.map(({ key, resource, deps }) => [key, resource, deps])).toEqual([
      ['crm/files/x', 'file://in/x.csv', ['a/b']],
      ['sling_crm/logs', 'logs.*', []],
      ['sling_crm/public/order_items', 'public.Order Items', ['public/order_items']],
      ['sling_crm/public/orders', 'public.orders', ['public/orders']],
    ]);
    expect(assets[1]?.metadata).toMatchObject({ dynamic: true });
    expect(assets[2]).toMatchObject({ description: 'items', metadata: { mode: 'full-refresh' } });
    expect(assets[3]?.metadata).toMatchObject({
      mode: 'incremental',
      update_key: 'updated_at',
      object: 'raw.{stream_table}',
    });
    expect(assets[3]?.source).toEqual({ file: 'pipelines/sling/crm/replication.yaml', line: 5, column: 3 });
  });

  it('gives a stream a code version of its own', async () => {
    const versions = async (text: string): Promise<(string | undefined)[]> =>
      stateOf(await folder(text, 'sling: { asset_per: stream }'), 'crm').assets.map(
        (asset) => asset.codeVersion,
      );
    const [before, after] = [
      await versions(STREAMS),
      await versions(STREAMS.replace('mode: full-refresh', 'mode: truncate')),
    ];
    expect(after.map((version, index) => version === before[index])).toEqual([true, true, false, true]);
  });

  it('keeps the chosen streams', async () => {
    const output = await folder(STREAMS, 'sling: { asset_per: stream, streams: [public.orders] }');
    expect(keysOf(output, 'crm')).toEqual(['sling_crm/public/orders']);
  });
});

describe('what cannot work is refused', () => {
  const one = (rest: string): string => `source: PG\ntarget: LAKE\nstreams:\n  a:\n${rest}`;
  it.each([
    [
      'hooks of the whole',
      `${one('')}hooks: { end: [] }`,
      'replication.yaml:5:1 error SLING_UNSUPPORTED hooks need a Sling token (remove them, or do their work in a python pipeline that depends on this one)',
    ],
    [
      'hooks of a stream',
      one('    hooks: { post: [] }'),
      'replication.yaml:5:5 error SLING_UNSUPPORTED hooks need a Sling token (remove them, or do their work in a python pipeline that depends on this one)',
    ],
    [
      'SLING_STATE',
      `${one('')}env: { SLING_STATE: x }`,
      'replication.yaml:5:8 error SLING_UNSUPPORTED SLING_STATE needs a Sling token: without one the stream is silently not incremental (use mode: incremental with update_key)',
    ],
    [
      'a mode of newer versions',
      one('    mode: change-capture'),
      'replication.yaml:5:11 error SLING_UNSUPPORTED Sling 1.4 has no mode change-capture (one of full-refresh, incremental, truncate, snapshot, backfill)',
    ],
    [
      'a file that is to be loaded incrementally',
      one('    { object: "file://out/a.csv", mode: incremental, update_key: at }'),
      'replication.yaml:4:3 error SLING_UNSUPPORTED a file cannot be loaded incrementally: Sling would need SLING_STATE, and for that a token (mode: full-refresh)',
    ],
    [
      'a file of a format for which Sling needs DuckDB',
      one('    object: file://out/a.parquet'),
      'replication.yaml:4:3 error SLING_UNSUPPORTED for this format Sling downloads a DuckDB program at run time (use CSV or JSON lines, load it with dlt, or give the program in DUCKDB_PATH in env: of dagster.yaml)',
    ],
    [
      'such a format by its name',
      one('    { object: "file://out/a", target_options: { format: parquet } }'),
      'replication.yaml:4:3 error SLING_UNSUPPORTED for this format Sling downloads a DuckDB program at run time (use CSV or JSON lines, load it with dlt, or give the program in DUCKDB_PATH in env: of dagster.yaml)',
    ],
    [
      'an unknown kind of cursor',
      one('    { update_key: at, meta: { dagster: { cursor: epoch } } }'),
      expect.stringMatching(
        /^pipelines\/sling\/crm\/replication\.yaml:5:\d+ error CONFIG_VALUE "epoch" is not one of timestamp, timestamptz, date, yyyymmdd, epoch_seconds, epoch_milliseconds/,
      ),
    ],
    [
      'an unknown mode',
      one('    mode: full'),
      'replication.yaml:5:11 error CONFIG_VALUE "full" is not one of full-refresh, incremental, truncate, snapshot, backfill',
    ],
    [
      'an incremental stream without keys',
      one('    mode: incremental'),
      'replication.yaml:4:3 error CONFIG_MISSING_KEY the incremental stream "a" has neither primary_key nor update_key (update_key: updated_at)',
    ],
    [
      'no target',
      'source: PG\nstreams: { a: }',
      'replication.yaml:1:1 error CONFIG_MISSING_KEY a replication needs a target (the name of a connection)',
    ],
    [
      'no stream',
      'source: PG\ntarget: LAKE\nstreams: {}',
      'replication.yaml:1:1 error CONFIG_VALUE the replication has no stream (add a stream, or "enabled: false" to dagster.yaml)',
    ],
    [
      'broken YAML',
      'source: [',
      'replication.yaml:1:10 error YAML_SYNTAX flow sequence in block collection must be sufficiently indented and end with a ] (close the bracket above with "]")',
    ],
    [
      'a misspelt key',
      'sorce: PG\ntarget: LAKE\nstreams: { a: }',
      'replication.yaml:1:1 error CONFIG_UNKNOWN_KEY "sorce" is not a key of this file (did you mean "source"?)',
    ],
  ])('%s', async (_, replication, line: unknown) => {
    const expected = typeof line === 'string' ? `pipelines/sling/crm/${line}` : line;
    expect(linesOf(await folder(replication))).toEqual([expected]);
  });

  it('SLING_STATE in dagster.yaml too', async () => {
    expect(linesOf(await folder(one(''), 'env: { SLING_STATE: x }'))).toEqual([
      'pipelines/sling/crm/dagster.yaml:1:8 error SLING_UNSUPPORTED SLING_STATE needs a Sling token: without one the stream is silently not incremental (use mode: incremental with update_key)',
    ]);
  });

  it('not where the folder gives Sling what it needs', async () => {
    const hooks = `${one('    object: file://out/a.parquet\n')}hooks: { end: [] }\nenv: { SLING_STATE: x }`;
    expect(linesOf(await folder(hooks, 'env: { SLING_CLI_TOKEN: x, DUCKDB_PATH: /usr/bin/duckdb }'))).toEqual(
      [],
    );
  });

  it('a chosen stream that is not there', async () => {
    expect(linesOf(await folder(STREAMS, 'sling: { streams: [public.order] }'))).toEqual([
      'pipelines/sling/crm/dagster.yaml:1:20 error CONFIG_VALUE the replication has no stream "public.order" (did you mean "public.orders"?)',
    ]);
  });

  it('connections and variables that are not set are warned', async () => {
    const output = await discover({
      'pipelines/crm/replication.yaml':
        'source: PG\ntarget: LOCAL\nenv: { SINCE: "$SINCE", A: "${START}" }\nstreams: { a: }',
    });
    expect(linesOf(output)).toEqual([
      'pipelines/crm/replication.yaml:1:9 warning VARIABLE_MISSING PG is not set (add the line PG=… to .env)',
      'pipelines/crm/replication.yaml:3:15 warning VARIABLE_MISSING SINCE is not set (add the line SINCE=… to .env)',
    ]);
  });
});
