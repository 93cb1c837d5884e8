import SqliteDatabase from 'better-sqlite3';
import { execa } from 'execa';
import type { PipelineConfig, SlingConfig } from '../../src/discovery/pipeline-config.ts';
import type { PlannedAsset } from '../../src/plan/run-plan.ts';
import type { StepSpec } from '../../src/plan/step-spec.ts';
import { slingRunner } from '../../src/runners/sling.ts';
import { checkPython } from './check-environment.ts';
import type { TestPostgres } from './postgres.ts';
import { StepFolder, type StepOutcome, stepSpec } from './run-step-command.ts';

/** A Sling folder with a Postgres server (`PG`) and an SQLite file (`LITE`, in the working directory). */
export class SlingWorld {
  readonly env: Readonly<Record<string, string>>;
  readonly folder: StepFolder;
  private readonly url: string;
  private readonly python: string;

  private constructor(folder: StepFolder, url: string, python: string) {
    this.folder = folder;
    this.url = url;
    this.python = python;
    this.env = { PG: url, LITE: 'sqlite://lite.db' };
  }

  static async create(postgres: TestPostgres, files: Readonly<Record<string, string>>): Promise<SlingWorld> {
    const url = `${postgres.url}?sslmode=disable`;
    return new SlingWorld(await StepFolder.create(files), url, await checkPython());
  }

  /** The replication's streams, each an asset `sling_shop/<stream>`. */
  async run(
    replication: string,
    streams: readonly string[],
    fields: Parameters<typeof stepSpec>[2] = {},
    config: Partial<PipelineConfig> = {},
  ): Promise<StepOutcome> {
    await this.folder.write('replication.yaml', replication);
    const sling: SlingConfig = { replication: 'replication.yaml', streams: [], assetPer: 'stream' };
    const partitions = (fields as Partial<StepSpec>).partitions ?? { kind: 'none' };
    const assets = streams.map((resource): PlannedAsset => {
      return { key: `sling_shop/${resource}`, resource, partitions, blockingChecks: [], codeVersion: '1' };
    });
    const runId = `run-${Math.random()}`;
    const spec = stepSpec('sling', { sling, ...config }, { runId, ...fields, assets });
    return this.folder.run(slingRunner, spec, { env: this.env });
  }

  /** Runs statements on Postgres; gives the rows of the last one. */
  async postgres(...statements: string[]): Promise<unknown[][]> {
    const script = `import json, psycopg2, sys
url, *statements = sys.argv[1:]
connection = psycopg2.connect(url); connection.autocommit = True; cursor = connection.cursor()
for statement in statements: cursor.execute(statement)
print(json.dumps(cursor.fetchall() if cursor.description else [], default=str))`;
    const { stdout } = await execa(this.python, ['-c', script, this.url, ...statements]);
    return JSON.parse(stdout) as unknown[][];
  }

  sqlite(sql: string): unknown[][] {
    const database = new SqliteDatabase(`${this.folder.work}/lite.db`);
    try {
      const statement = database.prepare(sql);
      if (statement.reader) return statement.raw().all() as unknown[][];
      statement.run();
      return [];
    } finally {
      database.close();
    }
  }
}
