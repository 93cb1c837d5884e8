import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/server/contract/run.ts';
import { createRepository, type TestRepository } from '../helpers/repository.ts';
import { type RunningService, startService } from '../helpers/service.ts';

const FLAKY = `
import os, sys
attempt = int(os.environ["ELT_ATTEMPT"])
print(f"attempt {attempt}")
sys.exit(1 if attempt < 3 else 0)
`;
/** Its child leaves the process group and the session, and ignores SIGTERM; the command line marks it. */
const STUBBORN = `
import subprocess, sys, time
code = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", code, "elt-stubborn"], start_new_session=True)
time.sleep(600)
`;

describe('runs', () => {
  let repository: TestRepository;
  let home: string;
  let service: RunningService;

  beforeAll(async () => {
    repository = createRepository({
      'pipelines/python/flaky/main.py': FLAKY,
      'pipelines/python/flaky/dagster.yaml':
        'script: { command: [python, main.py] }\nretry_policy: { max_retries: 3, delay: 1, backoff: EXPONENTIAL }\n',
      'pipelines/python/stubborn/main.py': STUBBORN,
      'pipelines/python/stubborn/dagster.yaml': 'script: { command: [python, main.py] }\n',
      'pipelines/python/slow/main.py': 'import time\ntime.sleep(600)\n',
      'pipelines/python/slow/dagster.yaml': 'script: { command: [python, main.py] }\ntimeout: 1s\n',
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

  it('retries a step that fails twice, after the delays that its policy says', {
    timeout: 60_000,
  }, async () => {
    const { run_ids: runIds } = await service.launch('flaky');
    const run = await service.ended(runIds[0]!);
    expect(run.status).toBe('SUCCESS');
    expect(run.steps_list[0]).toMatchObject({ status: 'succeeded', attempt: 3, retries_spent: 2 });
    const { items } = await service.api<{ items: RunEvent[] }>(
      'GET',
      `/api/v1/runs/${run.run_id}/events?limit=1000`,
    );
    const delays = items
      .filter((event) => event.type === 'step_retry_scheduled')
      .map((event) => event.payload['delay_seconds']);
    expect(delays).toEqual([1, 3]);
    const at = (type: string) =>
      items.filter((event) => event.type === type).map((event) => Date.parse(event.at));
    const [failed, dispatched] = [at('step_failed'), at('step_dispatched')];
    expect(dispatched[1]! - failed[0]!).toBeGreaterThanOrEqual(1000);
    expect(dispatched[2]! - failed[1]!).toBeGreaterThanOrEqual(3000);
  });

  it('cancels, and leaves no process behind', { timeout: 90_000 }, async () => {
    const { run_ids: runIds } = await service.launch('stubborn');
    await service.line(runIds[0]!, 'python_stubborn', 'ready');
    await service.api('POST', `/api/v1/runs/${runIds[0]}/cancel`);
    const run = await service.ended(runIds[0]!);
    expect(run.status).toBe('CANCELED');
    expect(processesOf(runIds[0]!)).toEqual([]);
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain('elt-stubborn');
  });

  it('ends a step at its time-out', { timeout: 90_000 }, async () => {
    const { run_ids: runIds } = await service.launch('slow');
    const run = await service.ended(runIds[0]!);
    expect(run.status).toBe('FAILURE');
    expect(run.error).toMatchObject({ code: 'STEP_TIMEOUT' });
    expect(processesOf(runIds[0]!)).toEqual([]);
  });
});

/** Processes that carry the run's id in their environment. */
function processesOf(runId: string): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(join('/proc', name, 'environ'), 'latin1').includes(`ELT_RUN_ID=${runId}`);
    } catch {
      return false;
    }
  });
}
