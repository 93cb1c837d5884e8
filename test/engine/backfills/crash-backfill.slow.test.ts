import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  BACKFILL_CRASH_POINTS,
  type BackfillCrashPoint,
} from '../../../src/engine/backfills/crash-points.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { createLogger } from '../../../src/lib/log.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { createRepository, type TestRepository } from '../../helpers/repository.ts';
import { TEST_CACHE } from '../../helpers/service.ts';

const SERVICE = join(import.meta.dirname, '..', '..', 'helpers', 'crash-service.ts');
const DAYS = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'];

interface Case {
  /** What happens to the backfill. */
  readonly mode: 'run' | 'pause' | 'cancel';
  /** The second day fails: what needs it is passed over. */
  readonly fails?: boolean;
  readonly occurrence: number;
}

/** One for each point in the code; a new point without one does not compile. */
const CASES: Readonly<Record<BackfillCrashPoint, Case>> = {
  backfill_created: { mode: 'run', occurrence: 1 },
  item_planned: { mode: 'run', occurrence: 2 },
  item_in_transaction: { mode: 'run', occurrence: 2 },
  item_launched: { mode: 'run', occurrence: 2 },
  item_started: { mode: 'run', occurrence: 3 },
  items_skipped: { mode: 'run', fails: true, occurrence: 1 },
  backfill_changed: { mode: 'pause', occurrence: 1 },
  run_canceled: { mode: 'cancel', occurrence: 1 },
  backfill_ended: { mode: 'run', occurrence: 1 },
};

describe('kill -9 of the service in the life of a backfill', () => {
  let repository: TestRepository;
  let home: string;

  beforeAll(() => {
    repository = createRepository({
      'pipelines/raw/dagster.yaml': `
tool: python
script: { command: [python, load.py], assets: [raw] }
partitions: { enabled: true, type: time, time: { start: "2026-01-01", cron_schedule: "0 0 * * *" } }
env: { RAN: "\${RAN}", FAILS: "\${FAILS:-}" }
`,
      'pipelines/raw/load.py': `
import os, sys
day = os.environ["ELT_PARTITION_KEY"]
open(os.environ["RAN"], "a").write(day + "\\n")
sys.exit(1 if day == os.environ["FAILS"] else 0)
`,
      'pipelines/total/dagster.yaml': `
tool: python
script: { command: [python, total.py], assets: [total] }
deps: [raw]
env: { RAN: "\${RAN}" }
`,
      'pipelines/total/total.py': 'import os\nopen(os.environ["RAN"], "a").write("total\\n")\n',
    });
  });
  afterAll(() => repository.remove());
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'elt-crash-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const ranFile = () => join(home, 'ran');

  async function service(point: string, { mode, fails, occurrence }: Case) {
    const child = spawn(process.execPath, [SERVICE, home, repository.remote, mode, point, `${occurrence}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        ELT_CACHE_DIR: TEST_CACHE,
        RAN: ranFile(),
        FAILS: fails === true ? DAYS[1] : '',
      },
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text));
    await once(child, 'close');
    return { signal: child.signalCode, said };
  }

  it('has a case for each of its points', () => {
    expect(Object.keys(CASES).sort()).toEqual([...BACKFILL_CRASH_POINTS].sort());
  });

  it.each(BACKFILL_CRASH_POINTS)(
    'at "%s": the next one ends it, each partition once',
    {
      timeout: 60_000,
    },
    async (point) => {
      const { mode, fails = false } = CASES[point];
      const first = await service(point, CASES[point]);
      expect(first).toMatchObject({ signal: 'SIGKILL', said: '' });
      const second = await service('', CASES[point]);
      const status = mode === 'cancel' ? 'CANCELED' : fails ? 'COMPLETED_FAILED' : 'COMPLETED_SUCCESS';
      expect(second.said).toBe(`ended ${status}\n`);

      const ran = existsSync(ranFile()) ? readFileSync(ranFile(), 'utf8').trim().split('\n').sort() : [];
      expect(new Set(ran).size).toBe(ran.length);
      if (mode !== 'cancel') expect(ran).toEqual(fails ? DAYS : [...DAYS, 'total']);

      const store = await openStore({
        file: join(home, 'elt.db'),
        clock: systemClock(),
        logger: createLogger('silent'),
      });
      const rows = await store.backfills.list({ limit: 9 });
      const runs = await store.runs.list({ limit: 99 });
      await store.close();
      expect(rows).toHaveLength(1);
      const [row] = rows as [(typeof rows)[0]];
      const { counts } = row;
      expect(runs).toHaveLength(row.submitted - counts.skipped);
      expect(counts.in_progress).toBe(0);
      if (mode === 'cancel') expect(counts.canceled + counts.materialized).toBe(row.submitted);
      else
        expect(counts).toMatchObject({
          materialized: fails ? 3 : 5,
          failed: fails ? 1 : 0,
          skipped: fails ? 1 : 0,
        });
    },
  );
});
