import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createPassedNames } from '../../../src/engine/local/passed-names.ts';
import type { PlannedAsset } from '../../../src/plan/run-plan.ts';
import { stepSpec } from '../../helpers/run-step-command.ts';

let tree: string;
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'elt-names-'));
});
afterEach(() => rmSync(tree, { recursive: true, force: true }));

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, name)), { recursive: true });
    writeFileSync(join(tree, name), text);
  }
}
const namesOf = (tool: 'sling' | 'dbt' | 'python') => {
  const { names, connections } = createPassedNames()(stepSpec(tool, {}), tree);
  return { names: [...names].sort(), connections: [...connections].sort() };
};

it('Sling: the connections, and what the env block refers to', () => {
  write({
    'replication.yaml': `
source: my_pg
target: WAREHOUSE
env: { START: '$START_AT', END: '\${END_AT}' }
streams: { public.orders: {} }
`,
  });
  expect(namesOf('sling')).toEqual({
    names: ['END_AT', 'MY_PG', 'START_AT', 'WAREHOUSE', 'my_pg'],
    connections: ['MY_PG', 'WAREHOUSE', 'my_pg'],
  });
});

it('dbt: every env_var, in any file of the project', () => {
  write({
    'profiles.yml': `path: "{{ env_var('DUCKDB_DATABASE', 'x') }}"`,
    'models/deep/a.sql': `select '{{ env_var( "REGION" ) }}', {{ env_var('REGION') }}`,
    'macros/m.sql': `{% set x = env_var('DBT_ENV_SECRET_KEY') %}`,
    'image.png': `env_var('NOT_A_PROJECT_FILE')`,
  });
  expect(namesOf('dbt').names).toEqual(['DBT_ENV_SECRET_KEY', 'DUCKDB_DATABASE', 'REGION']);
});

it.each([
  ['no file', {}],
  ['broken YAML', { 'replication.yaml': 'source: [unclosed' }],
  ['a list', { 'replication.yaml': '- a' }],
])('nothing from %s, and nothing of a script', (_name, files) => {
  write(files);
  for (const tool of ['sling', 'python'] as const)
    expect(namesOf(tool)).toEqual({ names: [], connections: [] });
});

it('connections that checks name, of what is written now and of what was before', () => {
  const asset = (key: string, connection?: string): PlannedAsset => ({
    key,
    partitions: { kind: 'none' },
    blockingChecks: [],
    codeVersion: '1',
    declaredChecks: [
      {
        name: 'rows',
        type: 'row_count',
        blocking: false,
        severity: 'WARN',
        settings: { min: 1, ...(connection === undefined ? {} : { connection }) },
      },
    ],
  });
  const spec = stepSpec(
    'python',
    {},
    { assets: [asset('a', 'Shop_Db'), asset('b')], written: [asset('c', 'OLD')] },
  );
  const { names, connections } = createPassedNames()(spec, tree);
  expect([...names].sort()).toEqual(['OLD', 'SHOP_DB', 'Shop_Db']);
  expect(connections).toEqual(names);
});
