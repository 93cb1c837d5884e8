import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createWarmStarts } from '../src/engine/local/warm/warm-starts.ts';
import { createLogger } from '../src/lib/log.ts';
import { dbtRunner } from '../src/runners/dbt.ts';
import { dltRunner } from '../src/runners/dlt.ts';
import { slingRunner } from '../src/runners/sling.ts';
import { openTestEngine, type TestEngine, type TestStep } from '../test/helpers/engine.ts';
import { ROOT, testTools } from '../test/helpers/tool-environments.ts';
import { type Figure, median } from './figure.ts';

/** Pairs per measurement; more for a quieter median. */
const TRIES = Number(process.env['BENCH_TRIES'] ?? 11);
const MANY = 100;
const AT_ONCE = 2;

/** The same work, as somebody does it by hand and as a step. */
interface Work {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly step: Partial<TestStep>;
  /** argv by hand, in a folder with the files. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Every time in a new folder with no state of the tool; else again and again in the same one, after a first time. */
  readonly isFresh: boolean;
  readonly canBeWarm: boolean;
  /** Over the plain command: milliseconds, or a share of it. */
  readonly aim: { readonly ms: number } | { readonly share: number };
}

interface Machine {
  readonly home: string;
  readonly python: string;
  readonly path: string;
  readonly cold: TestEngine;
  readonly warm: TestEngine;
}

/** One way to do the work, measured in seconds. */
type Way = 'plain' | 'cold' | 'warm';

/**
 * What a step costs over the plain command, in one run, the ways interleaved: on a machine that does other things too the
 * differences within a round are what counts. Ours is measured from the launch of the run to its recorded success.
 */
export async function benchSteps(): Promise<readonly Figure[]> {
  const home = mkdtempSync(join(tmpdir(), 'elt-bench-'));
  const { python, sling } = await testTools();
  const environment = {
    PATH: process.env['PATH']!,
    LANG: 'C.UTF-8',
    SHOP_SQLITE: `sqlite://${join(home, 'sling.db')}`,
  };
  const warmStarts = createWarmStarts({
    pythonDir: join(ROOT, 'python'),
    environment: () => environment,
    logger: createLogger('warn'),
  });
  const runners = [dltRunner, slingRunner, dbtRunner];
  const shared = { python, sling, runners, environment, limits: { maxSteps: AT_ONCE } };
  const cold = await openTestEngine({ home: join(home, 'cold'), ...shared });
  const warm = await openTestEngine({ home: join(home, 'warm'), ...shared, warmStarts });
  const machine = { home, python, path: [dirname(python), environment.PATH].join(delimiter), cold, warm };
  try {
    const figures: Figure[] = [];
    for (const work of works(python, sling, environment)) figures.push(...(await compare(work, machine)));
    figures.push(await throughput(cold));
    return figures;
  } finally {
    await cold.close();
    await warm.close();
    await warmStarts.close();
    rmSync(home, { recursive: true, force: true });
  }
}

const ROWS = `import dlt
rows = ({"id": i, "name": f"name {i}", "amount": i / 7, "at": "2026-01-05T10:00:00Z"} for i in range(600))
if __name__ == "__main__":
    dlt.pipeline("shop", destination="duckdb", dataset_name="raw").run(rows, table_name="orders")
`;
const CSV = ['id,name', ...Array.from({ length: 1_000 }, (_, index) => `${index},name ${index}`), ''].join(
  '\n',
);
const MODEL = '{{ config(materialized="table") }}\nselect * from ';

function works(
  python: string,
  sling: string,
  environment: Readonly<Record<string, string>>,
): readonly Work[] {
  const dlt = {
    script: 'pipeline.py',
    sourceArgs: {},
    resources: [],
    assetPer: 'pipeline',
    incremental: {},
  } as const;
  const dbt = { vars: {}, assetSets: [], translator: { sourceKey: 'name', modelKey: 'name' } } as const;
  const dltWork = (name: string, script: string): Work => ({
    name,
    files: { 'pipeline.py': script },
    step: { tool: 'dlt', config: { dlt } },
    command: [python, 'pipeline.py'],
    env: { RUNTIME__DLTHUB_TELEMETRY: 'false', DLT_DATA_DIR: '.dlt-data' },
    isFresh: true,
    canBeWarm: true,
    aim: { ms: 60 },
  });
  return [
    {
      name: 'python, nothing to do',
      files: { 'main.py': '' },
      step: {},
      command: [python, 'main.py'],
      env: {},
      isFresh: true,
      canBeWarm: false,
      aim: { ms: 60 },
    },
    dltWork('dlt, nothing to do', 'import dlt\n'),
    dltWork('dlt, 600 rows into DuckDB', ROWS),
    {
      name: 'Sling, 1,000 rows of CSV into SQLite',
      files: {
        'rows.csv': CSV,
        'replication.yaml':
          'source: LOCAL\ntarget: SHOP_SQLITE\ndefaults: {mode: full-refresh}\nstreams:\n  "file://rows.csv": {object: main.orders}\n',
      },
      step: {
        tool: 'sling',
        config: { sling: { replication: 'replication.yaml', streams: [], assetPer: 'replication' } },
      },
      command: [sling, 'run', '-r', 'replication.yaml'],
      env: { SHOP_SQLITE: environment['SHOP_SQLITE']!, SLING_LOGGING: 'JSON', SLING_HOME_DIR: '.sling' },
      isFresh: false,
      canBeWarm: true,
      aim: { ms: 60 },
    },
    {
      name: 'dbt, 3 models, parsed before',
      files: {
        'dbt_project.yml': 'name: shop\nprofile: shop\nversion: "1.0"\n',
        'profiles.yml':
          'shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb, schema: marts}}}\n',
        'models/one.sql': `${MODEL}range(1000)\n`,
        'models/two.sql': `${MODEL}{{ ref("one") }}\n`,
        'models/three.sql': `${MODEL}{{ ref("two") }}\n`,
      },
      step: {
        tool: 'dbt',
        config: { dbt },
        spec: {
          assets: ['one', 'two', 'three'].map((name) => ({
            key: name,
            resource: `model.shop.${name}`,
            partitions: { kind: 'none' },
            blockingChecks: [],
            codeVersion: '1',
          })),
        },
      },
      command: [join(dirname(python), 'dbt'), 'build'],
      env: {
        DBT_PROFILES_DIR: '.',
        DBT_SEND_ANONYMOUS_USAGE_STATS: 'false',
        DBT_USE_COLORS: 'false',
      },
      isFresh: false,
      canBeWarm: true,
      aim: { share: 3 },
    },
  ];
}

async function compare(work: Work, machine: Machine): Promise<Figure[]> {
  const ways: Way[] = work.canBeWarm ? ['plain', 'cold', 'warm'] : ['plain', 'cold'];
  const seconds = new Map<Way, number[]>(ways.map((way) => [way, []]));
  const isDlt = work.step.tool === 'dlt';
  const imports: number[] = [];
  // The first round brings files into the page cache, and the fork server up.
  for (let round = 0; round <= TRIES; round++) {
    for (let index = 0; index < ways.length; index++) {
      // Nobody is always the first.
      const way = ways[(index + round) % ways.length]!;
      const took = await once(work, way, machine, work.isFresh ? round : 0);
      if (round > 0) seconds.get(way)!.push(took);
    }
    if (isDlt && round > 0) imports.push(await importOfDlt(machine.python));
  }
  const plain = seconds.get('plain')!;
  const load = `load ${loadavg()[0]!.toFixed(1)}`;
  const figures: Figure[] = [
    {
      what: `${work.name}: plain (median of ${TRIES})`,
      value: median(plain) * 1000,
      unit: 'ms',
      aim: null,
      peer: load,
    },
  ];
  if (isDlt) {
    figures.push({
      what: `${work.name}: of it, import dlt`,
      value: median(imports) * 1000,
      unit: 'ms',
      aim: null,
    });
  }
  for (const way of ways.slice(1)) {
    const own = seconds.get(way)!;
    const over = median(own.map((each, index) => each - plain[index]!));
    figures.push({
      what: `${work.name}: ${way}`,
      value: median(own) * 1000,
      unit: 'ms',
      aim: null,
    });
    const what = `${work.name}: ${way} over plain`;
    if (way === 'warm' && isDlt) {
      const share = over / median(imports);
      figures.push({ what: `${what}, in imports of dlt`, value: share, unit: '×', aim: -0.8 });
    } else if (way === 'warm' && work.step.tool === 'dbt') {
      figures.push({ what, value: over * 1000, unit: 'ms', aim: 0 });
    } else if ('ms' in work.aim) {
      figures.push({ what, value: over * 1000, unit: 'ms', aim: work.aim.ms });
    } else {
      figures.push({ what, value: (100 * over) / median(plain), unit: '%', aim: work.aim.share });
    }
  }
  return figures;
}

async function once(work: Work, way: Way, machine: Machine, round: number): Promise<number> {
  const name = `${work.name.replaceAll(/\W+/g, '_')}_${round}`;
  if (way === 'plain') return plainly(work, name, machine);
  const engine = machine[way];
  const step: TestStep = { stepKey: name, pipeline: name, files: work.files, ...work.step };
  const begun = performance.now();
  const runId = await engine.run([step]);
  const seconds = (performance.now() - begun) / 1000;
  const { status, steps } = (await engine.store.runs.state(runId))!;
  if (status !== 'SUCCESS') throw new Error(`${work.name}, ${way}: ${steps[name]?.error?.message}`);
  return seconds;
}

async function plainly(work: Work, name: string, { home, path }: Machine): Promise<number> {
  const folder = join(home, 'plain', name);
  for (const [file, text] of Object.entries(work.files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  const [program, ...args] = work.command;
  const begun = performance.now();
  const child = spawn(program!, args, {
    cwd: folder,
    env: { PATH: path, LANG: 'C.UTF-8', HOME: home, PYTHONDONTWRITEBYTECODE: '1', ...work.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const seconds = (performance.now() - begun) / 1000;
  if (code !== 0) throw new Error(`${work.name}, plain: ${code}: ${said}`);
  return seconds;
}

/** Seconds of an import, without those of an interpreter that does nothing. */
async function importOfDlt(python: string): Promise<number> {
  const empty = await timed(python, 'pass');
  return (await timed(python, 'import dlt')) - empty;
}

async function timed(python: string, code: string): Promise<number> {
  const begun = performance.now();
  await new Promise((resolve, reject) => {
    const child = spawn(python, ['-c', code], { stdio: 'ignore' });
    child.once('error', reject);
    child.once('close', resolve);
  });
  return (performance.now() - begun) / 1000;
}

async function throughput(engine: TestEngine): Promise<Figure> {
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: MANY }, (_, index) =>
      engine.run([{ stepKey: 'no_op', pipeline: `no_op_${index}`, files: { 'main.py': '' } }]),
    ),
  );
  const seconds = (performance.now() - begun) / 1000;
  return {
    what: `${MANY} python steps that do nothing, ${AT_ONCE} at once`,
    value: MANY / seconds,
    unit: 'steps/s',
    aim: null,
    peer: `load ${loadavg()[0]!.toFixed(1)}`,
  };
}
