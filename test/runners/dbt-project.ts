import type { DbtConfig } from '../../src/discovery/pipeline-config.ts';
import type { PlannedAsset } from '../../src/plan/run-plan.ts';
import type { StepOutcome } from '../helpers/run-step-command.ts';

export const DBT: DbtConfig = {
  vars: {},
  assetSets: [],
  translator: { sourceKey: 'name', modelKey: 'name' },
};

export function models(...names: string[]): PlannedAsset[] {
  return names.map((name) => ({
    key: name,
    resource: name === 'names' ? 'seed.small.names' : `model.small.${name}`,
    partitions: { kind: 'none' },
    blockingChecks: [],
    codeVersion: '1',
  }));
}

export const SMALL = {
  'dbt_project.yml': 'name: small\nprofile: small\nversion: "1.0"\nmodels: {small: {+materialized: table}}\n',
  'profiles.yml': `small: {target: dev, outputs: {dev: {type: duckdb, path: "{{ env_var('DUCKDB_DATABASE', 'small.duckdb') }}", schema: marts, threads: 2}}}\n`,
  'seeds/names.csv': 'id,name\n1,a\n2,b\n3,\n',
  'models/numbers.sql': 'select i as id from range(10) t(i)\n',
  'models/doubled.sql': "select id * 2 as id from {{ ref('numbers') }}\n",
  'models/schema.yml': `
models:
  - name: numbers
    columns: [{name: id, data_tests: [not_null, unique]}]
  - name: doubled
    columns: [{name: id, data_tests: [{relationships: {arguments: {to: ref('numbers'), field: id}, config: {severity: warn}}}]}]
seeds:
  - name: names
    columns: [{name: name, data_tests: [not_null]}]
`,
};

export function checks(outcome: StepOutcome): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const event of outcome.events) {
    if (event.type === 'check')
      found[String(event.check_name)] = [event.asset_key, event.passed, event.severity];
  }
  return found;
}
