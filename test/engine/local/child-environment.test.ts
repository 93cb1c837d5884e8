import { describe, expect, it } from 'vitest';
import { childEnvironment } from '../../../src/engine/local/child-environment.ts';
import type { StepSpec } from '../../../src/plan/step-spec.ts';
import { dayPartition, stepSpec } from '../../helpers/run-step-command.ts';

const NOTHING = { names: new Set<string>(), connections: new Set<string>() };

function given(
  environment: Record<string, string>,
  options: {
    env?: Record<string, string>;
    passEnv?: string[];
    names?: string[];
    connections?: string[];
    spec?: Partial<StepSpec>;
    pipelineName?: string;
  } = {},
) {
  const config = {
    name: 'shop-orders',
    env: options.env ?? {},
    ...(options.pipelineName === undefined ? {} : { dlt: { pipelineName: options.pipelineName } as never }),
  };
  return childEnvironment({
    spec: { ...stepSpec('dlt', config), ...options.spec },
    environment,
    passEnv: options.passEnv ?? [],
    tokenVariables: ['SHOP_GIT_TOKEN'],
    passed: { ...NOTHING, names: new Set(options.names), connections: new Set(options.connections) },
    sharedDir: '/home/elt/data/shared',
  });
}

function envOf(result: ReturnType<typeof childEnvironment>): Readonly<Record<string, string>> {
  if (!result.ok) throw new Error(result.error.message);
  return result.env;
}

describe('what is passed on', () => {
  it.each([
    'PATH',
    'LANG',
    'LC_ALL',
    'TZ',
    'https_proxy',
    'SSL_CERT_FILE',
    'SOURCES__SHOP__API_KEY',
    'DESTINATION__DUCKDB__CREDENTIALS',
    'SHOP_ORDERS__DESTINATION_TYPE',
    'RUNTIME__LOG_LEVEL',
    'ORDERS_INITIAL_VALUE',
    'ORDERS_END_VALUE',
  ])('%s', (name) => {
    expect(envOf(given({ [name]: 'v' }))[name]).toBe('v');
  });

  it.each([
    'HOME',
    'AWS_SECRET_ACCESS_KEY',
    'SHOP_API_KEY',
    'OTHER__DESTINATION_TYPE',
    'GITHUB_TOKEN',
    'GH_TOKEN',
    'ELT_API_TOKEN',
    'ELT_WEBHOOK_SECRET',
    'DATABASE_URL',
    'PYTHONPATH',
    'LD_PRELOAD',
  ])('not %s', (name) => {
    expect(envOf(given({ [name]: 'v' }))).not.toHaveProperty(name);
  });

  it('what the operator, the folder’s own files and its dlt pipeline name ask for', () => {
    const environment = {
      MINE: '1',
      PG: '2',
      WAREHOUSE__X: '3',
      GITHUB_TOKEN: '4',
      DATABASE_URL: '5',
      ELT_API_TOKEN: '6',
    };
    const env = envOf(
      given(environment, {
        passEnv: ['MINE', 'GITHUB_TOKEN', 'DATABASE_URL'],
        names: ['PG', 'ELT_API_TOKEN'],
        pipelineName: 'warehouse',
      }),
    );
    expect(env).toMatchObject({ MINE: '1', PG: '2', WAREHOUSE__X: '3', GITHUB_TOKEN: '4' });
    expect(env).not.toHaveProperty('DATABASE_URL');
    expect(env).not.toHaveProperty('ELT_API_TOKEN');
  });
});

describe('env: of the folder', () => {
  it('is interpolated, with defaults, and wins', () => {
    const environment = { HOST: 'db', EMPTY: '', LANG: 'C' };
    const env = envOf(
      given(environment, {
        env: { URL: 'pg://${HOST}/${NAME:-shop}', FALLBACK: '${EMPTY:-used}', LANG: 'de', PLAIN: 'a{b}c$' },
      }),
    );
    expect(env).toMatchObject({ URL: 'pg://db/shop', FALLBACK: 'used', LANG: 'de', PLAIN: 'a{b}c$' });
  });

  it('keeps the variables of the service’s own Git tokens back, whatever they are called', () => {
    const environment = { SHOP_GIT_TOKEN: 'abcdefgh' };
    const taken = given(environment, { env: { T: '${SHOP_GIT_TOKEN}' }, names: ['SHOP_GIT_TOKEN'] });
    expect(taken).toMatchObject({ ok: false, error: { code: 'SECRET_MISSING' } });
    expect(JSON.stringify(taken)).not.toContain('abcdefgh');
    expect(envOf(given(environment, { names: ['SHOP_GIT_TOKEN'] }))).not.toHaveProperty('SHOP_GIT_TOKEN');
    expect(envOf(given(environment, { passEnv: ['SHOP_GIT_TOKEN'] }))).toHaveProperty('SHOP_GIT_TOKEN');
  });

  it('takes $${ as a plain ${', () => {
    const env = { TEMPLATE: '$${A}/${A}', BRACES: '${B:-x}$${partition_key}' };
    expect(envOf(given({ A: '1' }, { env }))).toMatchObject({
      TEMPLATE: '${A}/1',
      BRACES: 'x${partition_key}',
    });
  });

  it('knows the partition; a value that asks for one the run does not have is not set', () => {
    const env = { DAY: '{partition_key}', FROM: '{window_start}', TO: '{window_end}' };
    expect(
      envOf(given({}, { env, spec: { ...dayPartition('2026-01-05'), timezone: 'Europe/Vienna' } })),
    ).toMatchObject({
      DAY: '2026-01-05',
      FROM: '2026-01-05T01:00:00+01:00',
      TO: '2026-01-06T01:00:00+01:00',
    });
    for (const name of Object.keys(env)) expect(envOf(given({}, { env }))).not.toHaveProperty(name);
  });

  it('says the line of .env for every variable that is missing, and fails for good', () => {
    const result = given({ EMPTY: '' }, { env: { A: '${API_KEY}', B: '${EMPTY}', C: '${API_KEY}' } });
    expect(result).toMatchObject({
      ok: false,
      error: {
        code: 'SECRET_MISSING',
        failureClass: 'config',
        file: 'pipelines/dlt/shop-orders/dagster.yaml',
      },
    });
    if (result.ok) return;
    expect(result.error.message).toContain('add the line API_KEY=<value> to .env');
    expect(result.error.message).toContain('add the line EMPTY=<value> to .env');
    expect(result.error.message.match(/API_KEY is not set/g)).toHaveLength(1);
  });

  it.each(['GITHUB_TOKEN', 'ELT_API_TOKEN', 'DATABASE_URL', 'GITHUB_APP_PRIVATE_KEY'])(
    'never gets %s by reference, nor its default',
    (name) => {
      const result = given({ [name]: 'topsecret' }, { env: { MINE: `\${${name}:-x}` } });
      expect(result).toMatchObject({ ok: false, error: { code: 'SECRET_MISSING' } });
      expect(JSON.stringify(result)).not.toContain('topsecret');
    },
  );
});

describe('DUCKDB_DATABASE', () => {
  it.each([
    [undefined, '/home/elt/data/shared/data.duckdb'],
    ['shop.duckdb', '/home/elt/data/shared/shop.duckdb'],
    ['./sub/shop.duckdb', '/home/elt/data/shared/sub/shop.duckdb'],
    ['/abs/shop.duckdb', '/abs/shop.duckdb'],
    ['md:cloud', 'md:cloud'],
    [':memory:', ':memory:'],
  ])('%s → %s', (value, expected) => {
    const result = given({}, value === undefined ? {} : { env: { DUCKDB_DATABASE: value } });
    expect(envOf(result)['DUCKDB_DATABASE']).toBe(expected);
  });
});

describe('what is masked', () => {
  it.each<[string, Record<string, string>, Parameters<typeof given>[1], string[]]>([
    ['values of names that say so', { SOURCES__X__API_KEY: 'abcdefgh', LANG: 'german' }, {}, ['abcdefgh']],
    [
      'what env: takes from them',
      { PASSWORD: 'abcdefgh' },
      { env: { DSN: 'x-${PASSWORD}' } },
      ['x-abcdefgh'],
    ],
    [
      'what env: takes under another name',
      { MY_TOKEN: 'abcdefgh' },
      { env: { PLAIN: '${MY_TOKEN}' } },
      ['abcdefgh'],
    ],
    [
      'the password of an address',
      { PG: 'postgres://me:pa%20ss@db/x' },
      { names: ['PG'] },
      ['postgres://me:pa%20ss@db/x', 'pa%20ss', 'pa ss'],
    ],
    [
      'fields of a connection in JSON',
      { PG: '{"host":"db.example","password":"abcdefgh"}' },
      { names: ['PG'], connections: ['PG'] },
      ['abcdefgh'],
    ],
    [
      'fields of a connection in YAML',
      { PG: 'type: postgres\nhost: db.example\npassword: abcdefgh' },
      { names: ['PG'], connections: ['PG'] },
      ['abcdefgh'],
    ],
    [
      'a key that begins like a path',
      { SOURCES__AWS__SECRET_ACCESS_KEY: '/bcdefgh+ijk' },
      {},
      ['/bcdefgh+ijk'],
    ],
    [
      'a short name of a password',
      { DB_PASS: 'abcdefgh', DB_PWD: 'bcdefghi' },
      { passEnv: ['DB_PASS', 'DB_PWD'] },
      ['abcdefgh', 'bcdefghi'],
    ],
    ['no word with pass in it', { RUNTIME__BYPASS_CACHE: 'abcdefgh' }, {}, []],
    ['no path', { SOURCES__CREDENTIALS: '/etc/key.json' }, {}, []],
    ['no address without a password', { PG: 'sqlite://shop.db' }, { names: ['PG'], connections: ['PG'] }, []],
  ])('%s', (_name, environment, options, expected) => {
    const result = given(environment, options);
    expect(result.ok && [...new Set(result.secrets)]).toEqual(expected);
  });
});
