import { describe, expect, it } from 'vitest';
import { readEnvVars, readModelSql } from '../../../src/discovery/dbt/dbt-sql.ts';
import { matchesSelection } from '../../../src/discovery/dbt/simple-selection.ts';
import { discover, failureOf, linesOf, stateOf } from '../../helpers/discover.ts';

describe('the SQL of a model', () => {
  it.each([
    [
      '{{ config(tags=["a", \'b\'], materialized="table") }} select 1',
      { tags: ['a', 'b'], materialized: 'table' },
    ],
    ["{{ config(tags='x', enabled=False) -}}", { tags: ['x'], enabled: false }],
    ['select * from {{ ref("a") }} join {{ ref("pkg", "b") }}', { refs: ['a', 'b'] }],
    ["from {{ source('s', 't') }}", { sources: [{ source: 's', table: 't' }] }],
    ['-- {{ ref("no") }}\n{# {{ ref("no") }} #} select 1', { refs: [] }],
    ['{{ ref(var("x")) }}', { refs: [] }],
  ])('%s', (sql, facts) => {
    expect(readModelSql(sql)).toMatchObject(facts);
  });

  it('tells variables with and without a default', () => {
    expect(
      readEnvVars("{{ env_var('A') }} {{ env_var(\"B\", 'x') }}").map(({ name, required }) => [
        name,
        required,
      ]),
    ).toEqual([
      ['A', true],
      ['B', false],
    ]);
  });
});

describe('a selection', () => {
  const node = { name: 'm', path: 'models/marts/m.sql', fqn: ['marts', 'm'], tags: new Set(['daily', 'x']) };
  it.each([
    ['tag:daily', undefined, true],
    ['tag:weekly', undefined, false],
    ['tag:weekly m', undefined, true],
    ['tag:daily,marts', undefined, true],
    ['tag:daily,staging', undefined, false],
    ['path:models/marts', undefined, true],
    ['*', 'tag:x', false],
    [undefined, 'tag:y', true],
    ['+m', undefined, false],
  ])('%s without %s: %s', (select, exclude, matches) => {
    expect(matchesSelection(select, exclude, node)).toBe(matches);
  });
});

const PROJECT = {
  'dbt_project.yml':
    'name: p\nprofile: p\nmodels: { p: { +tags: all, staging: { +tags: [stg], +materialized: ephemeral } } }\n',
  'models/staging/stg.sql': "select * from {{ source('raw', 'orders') }}",
  'models/marts/mart.sql': "{{ config(tags=['d']) }} select * from {{ ref('stg') }} join {{ ref('codes') }}",
  'models/marts/off.sql': '{{ config(enabled=false) }} select 1',
  'models/schema.yml': `
sources: [{ name: raw, tables: [{ name: orders, meta: { dagster: { asset_key: [dlt_shop, orders] } } }, { name: other }] }]
models:
  - name: mart
    description: The mart.
    columns:
      - { name: id, description: key, data_type: int, data_tests: [not_null, unique, { accepted_values: { arguments: { values: [1] } } }] }
`,
  'seeds/codes.csv': 'a\n1\n',
};

function project(files: Record<string, string>): ReturnType<typeof discover> {
  return discover(
    Object.fromEntries(Object.entries(files).map(([path, text]) => [`pipelines/dbt/p/${path}`, text])),
  );
}

describe('a dbt project before dbt has read it', () => {
  it('has its models and seeds; what an ephemeral model reads is read by its children', async () => {
    const output = await project(PROJECT);
    expect(linesOf(output)).toEqual([]);
    expect(output.jobs.map((job) => job.kind)).toEqual(['dbt_parse']);
    expect(stateOf(output, 'p').assets).toEqual([
      expect.objectContaining({ key: 'codes', resource: 'seed.p.codes', deps: [] }),
      expect.objectContaining({
        key: 'mart',
        resource: 'model.p.mart',
        deps: ['codes', 'dlt_shop/orders'],
        description: 'The mart.',
        columns: [{ name: 'id', type: 'int', description: 'key' }],
        checks: [
          { name: 'not_null_mart_id', severity: 'ERROR', blocking: true },
          { name: 'unique_mart_id', severity: 'ERROR', blocking: true },
        ],
        tags: { all: '', d: '', elt_type: 'dbt', pipeline: 'p' },
      }),
    ]);
  });

  it('has only what its selections take', async () => {
    const output = await project({
      ...PROJECT,
      'dagster.yaml':
        'dbt: { asset_sets: [{ select: "tag:none" }, { select: "tag:d" }], translator: { group: folder } }',
    });
    expect(stateOf(output, 'p').assets.map(({ key, assetSet, group }) => [key, assetSet, group])).toEqual([
      ['mart', 1, 'marts'],
    ]);
  });

  it('takes source_name/name as the key of a source if it is told so', async () => {
    const files = {
      ...PROJECT,
      'models/schema.yml': '',
      'dagster.yaml': 'dbt: { translator: { source_key: source_name } }',
    };
    expect(stateOf(await project(files), 'p').assets.find(({ key }) => key === 'mart')?.deps).toEqual([
      'codes',
      'raw/orders',
    ]);
  });

  it.each([
    ['name: [', 'DBT_PROJECT_INVALID flow sequence'],
    ['profile: x', 'DBT_PROJECT_INVALID a dbt project needs a name'],
    ['name: my-project', 'DBT_PROJECT_INVALID "my-project" cannot name a dbt project'],
    ['', 'DBT_PROJECT_INVALID a dbt project needs a name'],
  ])('is refused with dbt_project.yml %j', async (yaml, text) => {
    const output = await project({ 'dbt_project.yml': yaml });
    expect(failureOf(output, 'p').diagnostics).toHaveLength(1);
    expect(linesOf(output)[0]).toContain(text);
  });
});
