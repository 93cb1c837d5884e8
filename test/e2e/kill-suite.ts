import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/server/contract/run.ts';
import { sqliteCount } from '../helpers/count-rows.ts';
import { createRepository, type TestRepository } from '../helpers/repository.ts';
import { type RunningService, startService } from '../helpers/service.ts';

const LINES = 40;
/** Counts lines and rows; its pid and attempt stand in a file that outlives the run. */
const COUNTER = `
import os, sqlite3, time
db = sqlite3.connect("rows.db")
db.execute("create table if not exists rows(run text, line integer)")
with open("pids.txt", "a") as file:
    file.write(f"{os.environ['ELT_RUN_ID']} {os.environ['ELT_ATTEMPT']} {os.getpid()}\\n")
for line in range(1, ${LINES + 1}):
    db.execute("insert into rows values(?, ?)", (os.environ["ELT_RUN_ID"], line))
    db.commit()
    print(f"line {line}", flush=True)
    time.sleep(0.05)
`;

/** Kills the service after this much of a run was seen, one run for each moment. */
export function describeKills(moments: readonly string[]): void {
  describe('P2: kill -9 of the service', () => {
    let repository: TestRepository;
    let home: string;
    let service: RunningService;

    beforeAll(async () => {
      repository = createRepository({
        'pipelines/python/counter/main.py': COUNTER,
        'pipelines/python/counter/dagster.yaml': 'script: { command: [python, main.py] }\n',
      });
      home = mkdtempSync(join(tmpdir(), 'elt-home-'));
      service = await startService({ home, repo: repository.remote });
      await service.serves(repository.head());
    });
    afterAll(async () => {
      await service.stop();
      repository.remove();
      rmSync(home, { recursive: true, force: true });
    });

    it.each(moments.map((moment, index) => [index + 1, moment] as const))(
      '%i: at "%s", the run ends once, whole, in the process that it began in',
      { timeout: 90_000 },
      async (_, moment) => {
        const { run_ids: runIds } = await service.launch('counter');
        const runId = runIds[0]!;
        await reached(runId, moment);
        await service.stop('SIGKILL');
        service = await startService({ home, repo: repository.remote });

        const run = await service.ended(runId);
        expect(run.status).toBe('SUCCESS');
        expect(run.steps_list[0]!.attempt).toBe(1);
        expect(run.materializations).toHaveLength(1);
        const lines = (await service.log(runId, 'python_counter')).filter((line) => line.startsWith('line '));
        expect(lines).toEqual(Array.from({ length: LINES }, (_line, index) => `line ${index + 1}`));
        const { items } = await service.api<{ items: RunEvent[] }>(
          'GET',
          `/api/v1/runs/${runId}/events?limit=1000`,
        );
        for (const type of ['run_succeeded', 'step_succeeded', 'step_dispatched', 'step_started']) {
          expect(
            items.filter((event) => event.type === type),
            type,
          ).toHaveLength(1);
        }
        const folder = join(home, 'data', 'elt_pipelines', 'python_counter');
        const pids = readFileSync(join(folder, 'pids.txt'), 'utf8');
        expect(pids.split('\n').filter((line) => line.startsWith(runId))).toHaveLength(1);
        expect(sqliteCount(join(folder, 'rows.db'), `rows where run = '${runId}'`)).toBe(LINES);
        expect(leftovers()).toEqual([]);
      },
    );

    async function reached(runId: string, moment: string): Promise<void> {
      if (!moment.startsWith('line ')) {
        await service.event((change) => change.run_id === runId && change.type === moment);
        return;
      }
      await service.line(runId, 'python_counter', moment);
    }

    function leftovers(): string[] {
      return readdirSync(join(home, 'steps'), { recursive: true })
        .map(String)
        .filter((name) => name.endsWith('.json'));
    }
  });
}
