import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Backfill } from '../src/server/contract/backfill.ts';
import type { Component } from '../src/server/contract/component.ts';
import { createRepository } from '../test/helpers/repository.ts';
import type { Figure } from './figure.ts';
import { type ServiceProcess, startServiceProcess } from './service-process.ts';

const SIZES = [100, Number(process.env['BENCH_BACKFILL'] ?? 5_000)];
const AT_ONCE = 4;
const LOOK_MS = 200;

/**
 * A backfill, one run a partition, of a Python script that does nothing: the whole service as `./elt-dev` starts it, real
 * processes, every run recorded with its events and logs.
 */
export async function benchBackfills(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const size of SIZES) figures.push(...(await backfillOf(size)));
  return figures;
}

async function backfillOf(size: number): Promise<Figure[]> {
  const home = mkdtempSync(join(tmpdir(), 'elt-bench-'));
  const repository = createRepository({
    'pipelines/python/no_op/dagster.yaml': [
      'script: { command: [python, main.py] }',
      'partitions: { enabled: true, type: time, time: { start: "2000-01-01", cron_schedule: "0 0 * * *" } }',
      '',
    ].join('\n'),
    'pipelines/python/no_op/main.py': '',
  });
  const service = await startServiceProcess(home, {
    ELT_REPO_URL: repository.remote,
    ELT_REFRESH_INTERVAL: '1h',
    ELT_MAX_CONCURRENT: String(AT_ONCE),
  });
  try {
    await served(service);
    const atRest = service.memory();
    const begun = performance.now();
    const asked = await service.post<Backfill>('/api/v1/backfills', {
      selection: 'no_op',
      partitions: { range: { start: '2000-01-01', end: dayAfter('2000-01-01', size - 1) } },
    });
    const accepted = (performance.now() - begun) / 1000;
    let most = atRest;
    for (;;) {
      const { status, counts } = await service.get<Backfill>(`/api/v1/backfills/${asked.backfill_id}`);
      most = Math.max(most, service.memory());
      if (status === 'COMPLETED_SUCCESS' && counts.materialized === size) break;
      if (status !== 'REQUESTED') throw new Error(`the backfill is ${status}: ${JSON.stringify(counts)}`);
      await wait(LOOK_MS);
    }
    const minutes = (performance.now() - begun) / 60_000;
    const of = `backfill of ${size} partitions, no-op Python steps, ${AT_ONCE} at once`;
    return [
      { what: `${of}: accepted`, value: accepted, unit: 's', aim: null },
      {
        what: `${of}: runs per minute (${(minutes * 60).toFixed(1)} s in all)`,
        value: size / minutes,
        unit: 'runs/min',
        aim: null,
        peer: 'Dagster: 12.8 runs/min',
      },
      {
        what: `${of}: memory of the service at most (VmRSS; at rest ${atRest.toFixed(0)} MiB)`,
        value: most,
        unit: 'MiB',
        aim: null,
        peer: 'Dagster: 2.2 GB',
      },
    ];
  } finally {
    await service.stop();
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  }
}

async function served(service: ServiceProcess): Promise<void> {
  for (;;) {
    const { items } = await service.get<{ items: Component[] }>('/api/v1/components');
    if (items.every((one) => one.last_applied !== null && !one.refreshing)) return;
    await wait(LOOK_MS);
  }
}

function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);
}
