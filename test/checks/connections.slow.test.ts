import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkPython } from '../helpers/check-environment.ts';
import { ROOT } from '../helpers/tool-environments.ts';

/** What `connection:` names, resolved by the Python side in one process for all cases. */
let folder: string;
let answers: readonly unknown[];

const PG = { host: 'h', port: 5433, user: 'u', password: 'p@w', dbname: 'shop' };
const FILES = {
  'here/shop.db': 'SQLite format 3\0rest of the file',
  'here/shop.duckdb': '\0\0\0\0\0\0\0\0DUCK rest',
  'here/notes.txt': 'no database at all',
  '.dlt/secrets.toml':
    '[destination.stored]\ndestination_type = "postgres"\ncredentials = "postgresql://u:p%40w@h:5433/shop"\n',
  'profiles.yml': `shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: "{{ env_var('MART_FILE') }}"}
    prod: {type: postgres, host: h, port: 5433, user: u, pass: "{{ env_var('PG_PASS') }}", dbname: shop, schema: marts, threads: 4}
`,
};
const ENV = {
  MART_FILE: 'mart.duckdb',
  PG_PASS: 'p@w',
  A_URL: 'postgres://u:p%40w@h:5433/shop?sslmode=require&schema=raw',
  A_DRIVER_URL: 'postgresql+psycopg2://u:p%40w@h:5433/shop',
  LOWER: 'sqlite://here/shop.db',
  JSON_FIELDS:
    '{"type": "postgres", "host": "h", "port": 5433, "username": "u", "password": "p@w", "database": "shop"}',
  YAML_FIELDS: '{type: duckdb, instance: here/shop.duckdb}',
  A_FILE: 'here/shop.duckdb',
  SQLITE_FILE: 'file://here/shop.db',
  NO_DATABASE: 'here/notes.txt',
  NO_FILE: 'here/missing.db',
  ODD: '{"type": "mysql", "password": "p@w"}',
  BROKEN: '{password: p@w',
  DESTINATION__LAKE__CREDENTIALS: 'duckdb:///here/shop.duckdb',
};

const CASES: readonly (readonly [string, unknown, unknown])[] = [
  ['an address', 'A_URL', { kind: 'postgres', dsn: { ...PG, sslmode: 'require' } }],
  ['an address with a driver', 'A_DRIVER_URL', { kind: 'postgres', dsn: PG }],
  ['a name in other letters', 'lower', { kind: 'sqlite', path: '$/here/shop.db' }],
  ['fields in JSON', 'JSON_FIELDS', { kind: 'postgres', dsn: PG }],
  ['fields in YAML', 'YAML_FIELDS', { kind: 'duckdb', path: '$/here/shop.duckdb' }],
  ['a file, by its first bytes', 'A_FILE', { kind: 'duckdb', path: '$/here/shop.duckdb' }],
  ['a file address', 'SQLITE_FILE', { kind: 'sqlite', path: '$/here/shop.db' }],
  [
    'a dlt destination in variables, three slashes that mean a relative path',
    'lake',
    { kind: 'duckdb', path: '$/here/shop.duckdb' },
  ],
  [
    'a dlt destination in secrets.toml',
    'stored',
    { kind: 'postgres', dsn: PG, dlt: { name: 'stored', type: 'postgres' } },
  ],
  ['a dbt profile', 'shop', { kind: 'duckdb', path: '$/mart.duckdb' }],
  ['a target of a dbt profile', 'shop.prod', { kind: 'postgres', dsn: PG }],
  ['what is no database', 'NO_DATABASE', '$/here/notes.txt is neither a DuckDB nor a SQLite file'],
  ['a file that is not there', 'NO_FILE', '$/here/missing.db cannot be read: No such file or directory'],
  ['another database', 'ODD', 'connection ODD: checks read DuckDB, SQLite and Postgres, not mysql'],
  [
    'what cannot be read, without showing it',
    'BROKEN',
    'connection BROKEN: its value is neither an address nor fields in JSON or YAML',
  ],
  [
    'nothing',
    'nobody',
    'connection nobody: the step has no variable nobody, and there is no dlt destination or dbt profile of this name; add the line nobody=<address> to .env',
  ],
  // What an attempt that only checks has: everything but the password.
  [
    'the password of a dlt destination',
    { kind: 'postgres', dsn: { host: 'h' }, dlt: { name: 'stored', type: 'postgres' } },
    { dsn: { host: 'h', password: 'p@w' } },
  ],
  [
    'the password of a dbt target',
    { kind: 'postgres', dsn: { host: 'h' }, dbt: { profile: 'shop', target: 'prod' } },
    { dsn: { host: 'h', password: 'p@w' } },
  ],
];

const CODE = `
import json, sys
sys.path.insert(0, sys.argv[1])
from elt_runner.checks.connect import named, resolved
from elt_runner.checks.database import CheckError
found = []
for case in json.load(sys.stdin):
    try:
        found.append(named(case) if isinstance(case, str) else resolved(case))
    except CheckError as error:
        found.append(str(error))
print(json.dumps(found))
`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'elt-connections-'));
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text, 'latin1');
  }
  const python = await checkPython();
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    DLT_DATA_DIR: folder,
    RUNTIME__DLTHUB_TELEMETRY: 'false',
    ...ENV,
  };
  const asked = promisify(execFile)(python, ['-c', CODE, join(ROOT, 'python')], { cwd: folder, env });
  asked.child.stdin?.end(JSON.stringify(CASES.map(([, asks]) => asks)));
  const { stdout } = await asked;
  answers = JSON.parse(stdout.trim().split('\n').at(-1)!.replaceAll(folder, '$')) as unknown[];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each(CASES.map(([name, , expected], index) => [name, expected, index] as const))(
  '%s',
  (_name, expected, index) => {
    const answer = answers[index];
    if (typeof expected === 'object') expect(answer).toMatchObject(expected as object);
    else expect(answer).toContain(expected);
    if (typeof answer === 'string') expect(answer).not.toContain('p@w');
  },
);
