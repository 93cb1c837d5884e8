import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DbtConfig } from '../../../src/discovery/pipeline-config.ts';
import { duckdbRows } from '../../helpers/duckdb.ts';
import { asset, range, type Scene, type Stage, type ToolUnderTest } from './scene.ts';

const ROWS = 100;
const DBT: DbtConfig = { vars: {}, assetSets: [], translator: { sourceKey: 'name', modelKey: 'name' } };
const file = ({ home }: Stage): string => join(home, 'data/shared/data.duckdb');

/** Two models, each of which appends to its table: one that is built twice has its rows twice. */
export const dbtTool: ToolUnderTest = {
  name: 'dbt',
  tooLittleMemory: 170_000_000,
  phases: ['start', 'running', 'finishing'],
  failure: { message: /no amount/, failureClass: 'user' },
  whole: range(1, 2 * ROWS),
  log: [
    /Running with dbt=/,
    /START sql \w+ model marts\.first/,
    /OK created sql \w+ model marts\.first/,
    /OK created sql \w+ model marts\.second/,
  ],
  stands(phase) {
    if (phase === 'running') return ({ event }) => event.type === 'stage_start' && event.stage === 'second';
    if (phase === 'finishing')
      return ({ event }) => event.type === 'materialization' && event.asset_key === 'second';
    return ({ event }) => event.type === 'step_started';
  },
  step(_stage: Stage, { hold, fails, replaces, isReleased }: Scene) {
    const kind =
      replaces === true
        ? 'materialized="table"'
        : 'materialized="incremental", incremental_strategy="append"';
    const model = (from: number, extra: string): string =>
      `{{ config(${kind}) }}\nselect i::bigint as id, ${extra} as extra from range(${from}, ${from + ROWS}) t(i)\n`;
    // A query that takes for ever, or for long enough for a service to die and another to start.
    const long = isReleased === true ? 1_500_000_000 : 1_000_000_000_000_000;
    const holding = (phase: string): string =>
      hold === phase ? `{{ ${long} if env_var('ELT_ATTEMPT') == '1' else 1 }}` : '1';
    const work = `(select sum(k % 7) from range(${holding('running')}) g(k))`;
    const broken = "error('no amount')::bigint";
    const first = `{{ "${broken}" if env_var('ELT_ATTEMPT') == '1' else "1" }}`;
    const late = fails === 'late' ? first : '1';
    const second = fails === undefined || fails === 'late' ? work : fails === 'always' ? broken : first;
    return {
      stepKey: 'rows',
      tool: 'dbt',
      config: { dbt: DBT },
      spec: { assets: [asset('first', 'model.rows.first'), asset('second', 'model.rows.second')] },
      files: {
        'dbt_project.yml': `name: rows\nprofile: rows\nversion: "1.0"\non-run-end:\n  - select sum(k % 7 + ${late}) from range(${holding('finishing')}) g(k)\n`,
        'profiles.yml': `rows: {target: dev, outputs: {dev: {type: duckdb, path: "{{ env_var('DUCKDB_DATABASE') }}", schema: marts, threads: 1}}}\n`,
        'models/first.sql': model(1, '0'),
        'models/second.sql': `-- depends_on: {{ ref('first') }}\n${model(ROWS + 1, second)}`,
      },
    };
  },
  async rows(stage) {
    if (!existsSync(file(stage))) return [];
    const tables = await duckdbRows(
      file(stage),
      "select table_name from information_schema.tables where table_schema = 'marts' order by 1",
    );
    const parts = tables.map(([name]) => `select id from marts.${String(name)}`);
    if (parts.length === 0) return [];
    const rows = await duckdbRows(file(stage), `${parts.join(' union all ')} order by 1`);
    return rows.map(([id]) => id as number);
  },
};
