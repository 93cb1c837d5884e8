import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dbtRunner } from '../../src/runners/dbt.ts';
import { dltRunner } from '../../src/runners/dlt.ts';
import { slingRunner } from '../../src/runners/sling.ts';
import { openTestEngine, type TestEngine, type TestStep } from '../helpers/engine.ts';
import { testTools } from '../helpers/tool-environments.ts';
import { asset } from './conformance/scene.ts';

/** With signs that every way of writing it escapes in its own way. */
const SECRET = 'p"lanted/secret+ß 42';
const FORMS: Readonly<Record<string, string>> = {
  plain: SECRET,
  'URL-encoded': encodeURIComponent(SECRET),
  'URL-encoded as Python does': encodeURIComponent(SECRET).replaceAll('%2F', '/'),
  'URL-encoded as in a form': encodeURIComponent(SECRET).replaceAll('%20', '+'),
  base64: Buffer.from(SECRET).toString('base64').replace(/=+$/, ''),
  'URL-safe base64': Buffer.from(SECRET).toString('base64url'),
  'JSON-escaped': JSON.stringify(SECRET).slice(1, -1),
  'JSON-escaped in ASCII': JSON.stringify(SECRET).slice(1, -1).replace('ß', '\\u00df'),
};
/** What is in the middle of it, in case that only its ends are masked. */
const CORE = 'lanted/secret';

let home: string;
let test: TestEngine;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'elt-secrets-'));
  const secretsDir = join(home, '..', `${home.split('/').at(-1)}-mounted`);
  mkdirSync(join(secretsDir, '.dlt'), { recursive: true });
  writeFileSync(join(secretsDir, '.dlt/secrets.toml'), 'api_token = "from-the-secrets-file"\n');
  const { python, sling } = await testTools();
  test = await openTestEngine({
    home,
    python,
    sling,
    secretsDir,
    runners: [dltRunner, slingRunner, dbtRunner],
    environment: {
      PATH: process.env['PATH']!,
      SHOP_PASSWORD: SECRET,
      SOURCES__API_KEY: SECRET,
      ROWS_SQLITE: 'sqlite://rows.db',
      PG: `postgres://shop:${encodeURIComponent(SECRET)}@127.0.0.1:9/none`,
    },
  });
});
afterEach(async () => {
  await test.close();
  rmSync(home, { recursive: true, force: true });
  rmSync(`${home}-mounted`, { recursive: true, force: true });
});

/** Files below the home that hold a form of the secret, bytes and all. */
function holders(texts: readonly string[]): string[] {
  return texts.flatMap((text) => {
    try {
      return execFileSync('grep', ['-rlaF', '-e', text, home], { encoding: 'utf8' })
        .trim()
        .split('\n')
        .map((file) => `${file.slice(home.length + 1)}: ${text}`);
    } catch (error) {
      if ((error as { status?: number }).status === 1) return [];
      throw error;
    }
  });
}

/** Says it in every form: printed, in a message of Dagster Pipes, and in what is raised. */
const TELLS = `
import base64, json, os, sys, time, urllib.parse
secret = os.environ["PASSWORD"]
print(secret, urllib.parse.quote(secret), urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret))
print(base64.b64encode(secret.encode()).decode(), base64.urlsafe_b64encode(secret.encode()).decode())
print("Authorization: Basic", base64.b64encode(b"shop:" + secret.encode()).decode(), base64.b64encode(b"us:" + secret.encode()).decode())
print(json.dumps({"key": secret}), json.dumps({"key": secret}, ensure_ascii=False), repr(secret), file=sys.stderr)
sys.stdout.write(secret[:7]); sys.stdout.flush(); time.sleep(0.05); print(secret[7:])
def pipes(method, **params):
    line = json.dumps({"__dagster_pipes_version": "0.1", "method": method, "params": params})
    open(os.environ["ELT_EVENTS_FILE"], "a").write(line + "\\n")
pipes("log", message="logging in with " + secret, level="INFO")
pipes("report_custom_message", payload={"of": {secret: [secret]}})
`;
const env = { PASSWORD: '${SHOP_PASSWORD}' };

async function expectClean(runId: string, told: string): Promise<void> {
  const { steps } = (await test.store.runs.state(runId))!;
  const [step] = Object.values(steps);
  const log = await test.log(runId, step!.stepKey);
  const said = JSON.stringify([log, await test.events(runId), steps]);
  expect(said).toContain(told);
  for (const [name, form] of Object.entries(FORMS)) {
    expect([name, said.includes(form), said.includes(JSON.stringify(form).slice(1, -1))]).toEqual([
      name,
      false,
      false,
    ]);
  }
  expect(said).not.toContain(CORE);
  expect(said).not.toContain('from-the-secrets-file');
  // What the attempt had of its own goes once its result is stored.
  await test.close();
  expect(holders([...Object.values(FORMS), CORE, 'from-the-secrets-file'])).toEqual([]);
}

/** With what the log or an event then says. */
const TOOLS: readonly (readonly [string, TestStep, string])[] = [
  [
    'python',
    {
      stepKey: 'a',
      config: { env },
      files: {
        'main.py': `${TELLS}\nprint(open(".dlt/secrets.toml").read())\nraise ValueError("cannot log in with " + secret)`,
      },
    },
    'cannot log in with ***',
  ],
  [
    'dlt',
    {
      stepKey: 'a',
      tool: 'dlt',
      spec: { assets: [asset('a')] },
      config: {
        env,
        dlt: { script: 'pipeline.py', sourceArgs: {}, resources: [], assetPer: 'pipeline', incremental: {} },
      },
      files: {
        'pipeline.py': `${TELLS}
import dlt
@dlt.source
def api(api_key: str = dlt.secrets.value, api_token: str = dlt.secrets.value):
    @dlt.resource
    def rows():
        yield {"id": 1}
        print("using", api_key, api_token)
        raise ValueError("the server refused " + api_key + " " + api_token)
    return rows
def run():
    dlt.pipeline("p", destination=dlt.destinations.duckdb(os.environ["DUCKDB_DATABASE"]), dataset_name="raw").run(api())
`,
      },
    },
    'the server refused *** ***',
  ],
  [
    'dlt that succeeds',
    {
      stepKey: 'a',
      tool: 'dlt',
      spec: { assets: [asset('a')] },
      config: {
        env,
        dlt: { script: 'pipeline.py', sourceArgs: {}, resources: [], assetPer: 'pipeline', incremental: {} },
      },
      files: {
        'pipeline.py': `${TELLS}
import dlt
@dlt.source
def api(api_key: str = dlt.secrets.value, api_token: str = dlt.secrets.value, password: str = dlt.config.value):
    return dlt.resource([{"id": 1}], name="rows")
def run():
    os.environ["SOURCES__PASSWORD"] = secret
    dlt.pipeline("p", destination=dlt.destinations.duckdb(os.environ["DUCKDB_DATABASE"]), dataset_name="raw").run(api())
`,
      },
    },
    'logging in with ***',
  ],
  [
    'dbt',
    {
      stepKey: 'a',
      tool: 'dbt',
      spec: { assets: [asset('m', 'model.small.m')] },
      config: { env, dbt: { vars: {}, assetSets: [], translator: { sourceKey: 'name', modelKey: 'name' } } },
      files: {
        'dbt_project.yml': 'name: small\nprofile: small\nversion: "1.0"\n',
        'profiles.yml': `small: {target: dev, outputs: {dev: {type: duckdb, path: "{{ env_var('DUCKDB_DATABASE') }}", schema: marts, threads: 1}}}\n`,
        'models/m.sql': `{{ print("with " ~ env_var("PASSWORD")) }} select '{{ env_var("PASSWORD") }}' as id, nothing from nowhere`,
      },
    },
    'with ***',
  ],
  [
    'Sling',
    {
      stepKey: 'a',
      tool: 'sling',
      spec: { assets: [asset('a')] },
      config: {
        env,
        sling: { replication: 'replication.yaml', streams: [], assetPer: 'replication' },
      },
      files: {
        'replication.yaml': `source: LOCAL\ntarget: PG\nstreams: { "file://a.csv": { object: "main.a", mode: full-refresh } }\n`,
        'a.csv': 'id\n1\n',
      },
    },
    'connection refused',
  ],
];

describe('a secret that a tool is given is nowhere on the disk afterwards, in no form', () => {
  it.each(TOOLS)('%s', async (_, step, told) => {
    await expectClean(await test.run([step]), told);
    // The same search finds a planted copy.
    writeFileSync(
      join(home, 'planted'),
      Buffer.concat([Buffer.from([0, 255]), Buffer.from(SECRET), Buffer.from([0])]),
    );
    expect(holders([SECRET])).toEqual([`planted: ${SECRET}`]);
  });
});
