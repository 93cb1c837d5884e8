import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AssetDetail } from '../../src/server/contract/asset.ts';
import { createRepository, type TestRepository } from '../helpers/repository.ts';
import { type RunningService, startService } from '../helpers/service.ts';
import { treeHash } from '../helpers/tree-hash.ts';

/** Folders as the Python original expects them: they read `os.environ`, write relative files, take `partition_key`. */
const FILES = {
  'pipelines/dlt/github_issues/pipeline.py': `
import os
import dlt

@dlt.resource(name="issues", write_disposition="merge", primary_key="id")
def issues(day):
    for number in range(5):
        yield {"id": f"{day}-{number}", "day": day, "label": os.environ.get("ISSUE_LABEL", "none")}

def run(partition_key: str):
    with open("last_partition.txt", "w") as file:
        file.write(partition_key)
    pipeline = dlt.pipeline(pipeline_name="github_issues", destination="duckdb", dataset_name="raw_github")
    info = pipeline.run(issues(partition_key))
    print(info)
    return info
`,
  'pipelines/dlt/github_issues/dagster.yaml': `
enabled: true
description: "Load GitHub issues incrementally by day"
group: "github"
owners: ["data-team@company.com"]
kinds: [dlt, duckdb]
tags: { tool: dlt, team: data-engineering }
metadata: [{ key: runbook, value: "https://shop.example/runbook", type: url }]
partitions:
  enabled: true
  type: "time"
  time: { start: "2024-01-01", cron_schedule: "0 0 * * *", timezone: "UTC", fmt: "%Y-%m-%d" }
schedule:
  enabled: true
  cron_schedule: "0 2 * * *"
  timezone: "UTC"
  execution_timezone: "Europe/Vienna"
  default_status: STOPPED
retry_policy: { max_retries: 3, delay: 60, backoff: EXPONENTIAL, jitter: PLUS_MINUS }
`,
  'pipelines/sling/stores/replication.yaml': `
source: LOCAL
target: STORES_DB
streams:
  file://stores.csv:
    object: main.stores
    mode: full-refresh
`,
  'pipelines/sling/stores/stores.csv': 'id,city\n1,Vienna\n2,Graz\n3,Linz\n',
  'pipelines/sling/stores/dagster.yaml': `
group: files
retries: 3
retry_delay: 60
env: { STORES_DB: "sqlite://stores.db" }
schedule: { enabled: false, cron_schedule: "* * * * *" }
`,
};

describe('a repository laid out as the Python original expects', () => {
  let repository: TestRepository;
  let home: string;
  let service: RunningService;

  beforeAll(async () => {
    repository = createRepository(FILES);
    home = mkdtempSync(join(tmpdir(), 'elt-home-'));
    service = await startService({ home, repo: repository.remote, env: { SOURCES__GITHUB__ORG: 'shop' } });
    await service.serves(repository.head());
  });
  afterAll(async () => {
    await service.stop();
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  });

  it('gives the keys, groups, owners, tags, kinds, partitions, schedules and retries that it says', async () => {
    const dlt = await service.api<AssetDetail>('GET', '/api/v1/assets/dlt_github_issues');
    expect(dlt).toMatchObject({
      group: 'github',
      owners: ['data-team@company.com'],
      description: 'Load GitHub issues incrementally by day',
      tags: { tool: 'dlt', team: 'data-engineering', elt_type: 'dlt', pipeline: 'github_issues' },
      metadata: [{ key: 'runbook', value: 'https://shop.example/runbook', type: 'url' }],
      retry_policy: { max_retries: 3, delay: 60, backoff: 'EXPONENTIAL', jitter: 'PLUS_MINUS' },
      schedule: { cron_schedule: ['0 2 * * *'], timezone: 'Europe/Vienna', status: 'STOPPED' },
      partitions: { type: 'time', first_key: '2024-01-01' },
    });
    expect(dlt.kinds).toEqual(expect.arrayContaining(['dlt', 'duckdb']));
    const sling = await service.api<AssetDetail>('GET', '/api/v1/assets/sling_stores');
    expect(sling).toMatchObject({
      group: 'files',
      schedule: null,
      partitions: null,
      retry_policy: { max_retries: 3, delay: 60, backoff: 'EXPONENTIAL', jitter: 'PLUS_MINUS' },
    });
    expect(sling.tags).toMatchObject({ elt_type: 'sling', replication: 'stores' });
  });

  it('runs both, keeps what they write, and leaves their tree as it was', { timeout: 300_000 }, async () => {
    const launches = await Promise.all([
      service.launch('dlt_github_issues', { partition: '2024-01-03' }),
      service.launch('sling_stores'),
    ]);
    const runs = await Promise.all(
      launches.flatMap((launch) => launch.run_ids).map((id) => service.ended(id)),
    );
    expect(runs.map((run) => [run.status, run.error?.message])).toEqual([
      ['SUCCESS', undefined],
      ['SUCCESS', undefined],
    ]);
    expect(
      runs.flatMap((run) => run.materializations).map((m) => [m.asset_key, m.partition, m.metadata['rows']]),
    ).toEqual([
      ['dlt_github_issues', '2024-01-03', 5],
      ['sling_stores', null, 3],
    ]);
    const trees = treeHash(join(home, 'trees'));
    const again = await service.launch('dlt_github_issues', { partition: '2024-01-04' });
    expect((await service.ended(again.run_ids[0]!)).status).toBe('SUCCESS');
    expect(treeHash(join(home, 'trees'))).toEqual(trees);
  });
});
