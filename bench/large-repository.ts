import { createRepository, type TestRepository } from '../test/helpers/repository.ts';

/**
 * A pipelines repository of many folders, as teams have them: of ten five are dlt scripts with daily partitions, two
 * Sling replications with three streams, three Python scripts that read from the folder before. None of them needs its
 * Python environment to be discovered, and no schedule is on: nothing runs.
 */
export function createLargeRepository(folders: number): TestRepository {
  const files: Record<string, string> = {};
  for (let index = 0; index < folders; index++) Object.assign(files, folder(index));
  return createRepository(files);
}

/** Files of one folder; its number decides the tool. */
export function folder(index: number): Readonly<Record<string, string>> {
  const name = `p${String(index).padStart(4, '0')}`;
  const common = [
    `description: Pipeline ${index} of many.`,
    `group: team_${index % 20}`,
    `owners: [team:t${index % 20}]`,
    `tags: { domain: d${index % 7} }`,
    'retries: 2',
  ];
  const make = [dlt, dlt, dlt, dlt, dlt, sling, sling, python, python, python][index % 10]!;
  return make(name, index, common);
}

type Files = Readonly<Record<string, string>>;

function dlt(name: string, index: number, common: readonly string[]): Files {
  return {
    [`pipelines/dlt/${name}/dagster.yaml`]: lines(
      ...common,
      'partitions:',
      '  enabled: true',
      '  type: time',
      '  time: { start: "2026-01-01", cron_schedule: "0 0 * * *", timezone: UTC }',
      `schedule: { enabled: true, cron_schedule: "${index % 60} 2 * * *", timezone: Europe/Berlin, default_status: STOPPED }`,
      'checks:',
      '  - { name: has_rows, type: row_count, min: 1, blocking: true }',
    ),
    [`pipelines/dlt/${name}/pipeline.py`]: lines(
      '"""Load a day of rows."""',
      'import dlt',
      '',
      '',
      '@dlt.resource(name="rows", primary_key="id", write_disposition="merge")',
      'def rows(day):',
      '    for number in range(100):',
      '        yield {"id": number, "day": day}',
      '',
      '',
      'def run(partition_key=None):',
      `    pipeline = dlt.pipeline(pipeline_name="${name}", destination="duckdb", dataset_name="raw")`,
      '    return pipeline.run(rows(partition_key))',
    ),
  };
}

function sling(name: string, index: number, common: readonly string[]): Files {
  const streams = ['orders', 'customers', 'items'].flatMap((table) => [
    `  public.${table}:`,
    '    mode: incremental',
    '    primary_key: [id]',
    '    update_key: updated_at',
    `    object: main.${table}_${index}`,
  ]);
  return {
    [`pipelines/sling/${name}/dagster.yaml`]: lines(
      ...common,
      'sling: { asset_per: stream }',
      `schedule: { enabled: true, cron_schedule: "${index % 60} * * * *", default_status: STOPPED }`,
    ),
    [`pipelines/sling/${name}/replication.yaml`]: lines(
      'source: SHOP_POSTGRES',
      'target: SHOP_SQLITE',
      'streams:',
      ...streams,
    ),
  };
}

function python(name: string, index: number, common: readonly string[]): Files {
  const upstream = index % 10 === 7 ? [] : [`deps: [p${String(index - 1).padStart(4, '0')}]`];
  return {
    [`pipelines/python/${name}/dagster.yaml`]: lines(
      ...common,
      ...upstream,
      'script: { command: [python, main.py] }',
    ),
    [`pipelines/python/${name}/main.py`]: 'print("done")\n',
  };
}

function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
