import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchAutomation } from './automation.ts';
import { benchBackfills } from './backfills.ts';
import type { Figure } from './figure.ts';
import { benchPartitions } from './partitions.ts';
import { benchSchedules } from './schedules.ts';

/** Time at size: partition status, schedules, automation, backfills. */
export async function benchTime(): Promise<readonly Figure[]> {
  const home = mkdtempSync(join(tmpdir(), 'elt-bench-'));
  try {
    return [
      ...(await benchPartitions(join(home, 'partitions.db'))),
      ...(await benchSchedules(home)),
      ...(await benchAutomation()),
      ...(await benchBackfills()),
    ];
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
