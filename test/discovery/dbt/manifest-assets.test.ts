import { describe, expect, it } from 'vitest';
import { assetsFromManifest } from '../../../src/discovery/dbt/manifest-assets.ts';
import type { ParsedManifest, ParsedNode, ParsedSource } from '../../../src/discovery/dbt/parsed-manifest.ts';
import type { PipelineConfig } from '../../../src/discovery/pipeline-config.ts';
import { discover, stateOf } from '../../helpers/discover.ts';

async function configOf(yaml: string): Promise<PipelineConfig> {
  const files = { 'pipelines/p/dbt_project.yml': 'name: p\nprofile: p', 'pipelines/p/dagster.yaml': yaml };
  return stateOf(await discover(files), 'p').config;
}

function node(name: string, rest: Partial<ParsedNode> = {}): ParsedNode {
  return {
    unique_id: `model.p.${name}`,
    resource_type: 'model',
    name,
    alias: name,
    version: null,
    schema: null,
    fqn: ['p', 'marts', name],
    tags: [],
    materialized: 'table',
    description: '',
    columns: [],
    depends_on: [],
    checksum: `sum-${name}`,
    path: `models/marts/${name}.sql`,
    asset_key: null,
    group: null,
    owners: null,
    dbt_group: null,
    group_owner: null,
    compiled: null,
    ...rest,
  };
}

const SOURCE: ParsedSource = {
  unique_id: 'source.p.s.raw',
  source_name: 's',
  name: 'raw',
  asset_key: null,
  description: '',
  columns: [],
  path: 'models/sources.yml',
  freshness: null,
};

function manifest(rest: Partial<ParsedManifest>): ParsedManifest {
  return { error: null, nodes: [], tests: [], sources: [], sets: [], selected: null, ...rest };
}

describe('assets of a manifest', () => {
  it('have keys, deps through ephemeral models, code versions and checks', async () => {
    const { assets, diagnostics } = assetsFromManifest(
      manifest({
        nodes: [
          node('a', { depends_on: ['model.p.eph'], owners: ['team:x'], tags: ['t'] }),
          node('eph', { materialized: 'ephemeral', depends_on: ['source.p.s.raw'] }),
          node('v', { version: 2, alias: 'v_v2' }),
          node('k', { asset_key: ['x', 'k'], depends_on: ['model.p.a'], group: 'g' }),
        ],
        sources: [SOURCE],
        tests: [
          {
            unique_id: 'test.p.nn',
            name: 'not_null_a_id',
            attached_node: 'model.p.a',
            severity: 'ERROR',
            depends_on: ['model.p.a'],
            description: '',
          },
          {
            unique_id: 'test.p.single',
            name: 'single',
            attached_node: null,
            severity: 'WARN',
            depends_on: ['model.p.k', 'model.p.a'],
            description: 'why',
          },
        ],
      }),
      await configOf(''),
    );
    expect(diagnostics).toEqual([]);
    expect(
      assets.map(({ key, deps, codeVersion, group, checks }) => [key, deps, codeVersion, group, checks]),
    ).toEqual([
      [
        'a',
        ['raw'],
        'sum-a',
        undefined,
        [{ name: 'not_null_a_id', severity: 'ERROR', blocking: true, toolId: 'test.p.nn' }],
      ],
      ['v_v2', [], 'sum-v', undefined, []],
      [
        'x/k',
        ['a'],
        'sum-k',
        'g',
        [{ name: 'single', severity: 'WARN', blocking: false, toolId: 'test.p.single', description: 'why' }],
      ],
    ]);
    expect(assets[0]).toMatchObject({
      owners: ['team:x'],
      source: { file: 'pipelines/p/models/marts/a.sql' },
    });
  });

  it('follow the translator', async () => {
    const { assets } = assetsFromManifest(
      manifest({
        nodes: [node('a', { schema: 'gold', depends_on: ['source.p.s.raw'] }), node('b')],
        sources: [SOURCE],
      }),
      await configOf(
        'dbt: { translator: { source_key: source_name, model_key: schema_name, group: folder } }',
      ),
    );
    expect(assets.map(({ key, deps, group }) => [key, deps, group])).toEqual([
      ['b', [], 'marts'],
      ['gold/a', ['s/raw'], 'marts'],
    ]);
  });

  it('have the tags, group and owner that dbt knows', async () => {
    const { assets } = assetsFromManifest(
      manifest({
        nodes: [
          node('a', { tags: ['daily', 'pipeline'], dbt_group: 'finance', group_owner: 'cfo@shop.example' }),
          node('b', {
            dbt_group: 'finance',
            group_owner: 'cfo@shop.example',
            group: 'own',
            owners: ['team:x'],
          }),
          node('c', { compiled: 'select 1' }),
        ],
      }),
      await configOf('dbt: { translator: { group: folder } }'),
    );
    expect(assets.map(({ tags, group, owners, compiledSql }) => [tags, group, owners, compiledSql])).toEqual([
      // A tag of dbt never takes the place of one of ours.
      [{ daily: '', elt_type: 'dbt', pipeline: 'p' }, 'finance', ['cfo@shop.example'], undefined],
      [{ elt_type: 'dbt', pipeline: 'p' }, 'own', ['team:x'], undefined],
      [{ elt_type: 'dbt', pipeline: 'p' }, 'marts', undefined, 'select 1'],
    ]);
  });

  it('describe the sources that they read, and ask for their freshness', async () => {
    const columns = [{ name: 'id', type: 'int', description: '' }];
    const { assets } = assetsFromManifest(
      manifest({
        nodes: [node('a', { depends_on: ['source.p.s.raw'] }), node('b', { depends_on: ['model.p.a'] })],
        sources: [{ ...SOURCE, description: 'tills', columns, freshness: 'WARN' }],
      }),
      await configOf(''),
    );
    expect(assets[0]).toMatchObject({
      reads: [
        {
          key: 'raw',
          description: 'tills',
          columns: [{ name: 'id', type: 'int' }],
          source: { file: 'pipelines/p/models/sources.yml', line: 1, column: 1 },
        },
      ],
      checks: [
        { name: 'source_freshness_s_raw', severity: 'WARN', blocking: false, toolId: 'source.p.s.raw' },
      ],
    });
    expect(assets[1]).toMatchObject({ checks: [] });
    expect(assets[1]?.reads).toBeUndefined();
  });

  it('stand for sources as dagster.yaml says: one asset for a whole source, or for a table of it', async () => {
    const sources = ['raw', 'other', 'third'].map((name) => ({
      ...SOURCE,
      unique_id: `source.p.s.${name}`,
      name,
    }));
    const { assets, diagnostics } = assetsFromManifest(
      manifest({
        nodes: sources.map(({ unique_id, name }) => node(`m_${name}`, { depends_on: [unique_id] })),
        sources: sources.map((source) =>
          source.name === 'third' ? { ...source, asset_key: ['meta'] } : source,
        ),
      }),
      await configOf('dbt: { translator: { source_keys: { s: dlt_github, s.other: dlt_other/rows } } }'),
    );
    expect(assets.map(({ key, deps }) => [key, deps])).toEqual([
      ['m_other', ['dlt_other/rows']],
      ['m_raw', ['dlt_github']],
      ['m_third', ['dlt_github']],
    ]);
    expect(diagnostics).toEqual([]);
  });
});

describe('asset sets', async () => {
  const config = await configOf('dbt: { asset_sets: [{ select: "tag:a" }, { select: "tag:b" }] }');
  const nodes = [node('a'), node('b'), node('c')];

  it('divide the models; one that is in none is no asset and is told', () => {
    const { assets, diagnostics } = assetsFromManifest(
      manifest({ nodes, sets: [['model.p.a'], ['model.p.b']] }),
      config,
    );
    expect(assets.map(({ key, assetSet }) => [key, assetSet])).toEqual([
      ['a', 0],
      ['b', 1],
    ]);
    expect(diagnostics.map(({ severity, message }) => `${severity} ${message}`)).toEqual([
      'warning no asset set selects c: they are not run',
    ]);
  });

  it('must not overlap', () => {
    const { diagnostics } = assetsFromManifest(
      manifest({ nodes, sets: [['model.p.a', 'model.p.b', 'model.p.c'], ['model.p.b']] }),
      config,
    );
    expect(diagnostics.map(({ severity, code, message }) => [severity, code, message])).toEqual([
      ['error', 'ASSET_DUPLICATE', 'b is in two asset sets: "tag:a" and "tag:b"'],
    ]);
  });

  it('that are empty are told', () => {
    const { diagnostics } = assetsFromManifest(
      manifest({ nodes: [node('a')], sets: [['model.p.a'], []] }),
      config,
    );
    expect(diagnostics.map(({ message }) => message)).toEqual(['the asset set "tag:b" selects nothing']);
  });
});
