import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { LaunchResponse, RunEvent } from '../../src/server/contract/run.ts';
import { createRepository } from '../helpers/repository.ts';
import { startService } from '../helpers/service.ts';

/** Says which version it is; waits until the test lets it go on; fails if it is the first one and asked to. */
const script = (version: number, go: string): string => `
import os, sys, time
print("version", ${version}, "of", os.environ["ELT_COMMIT"], flush=True)
while not os.path.exists(${JSON.stringify(go)}):
    time.sleep(0.02)
print("ends as", open("version.txt").read(), flush=True)
sys.exit(1 if ${version} == 1 and os.path.exists(${JSON.stringify(`${go}.fails`)}) else 0)
`;

it('E8, E9: a run stays at its commit when another is pushed, and so do its retries until they are asked for the latest', async () => {
  const home = mkdtempSync(join(tmpdir(), 'elt-home-'));
  const go = join(home, 'go');
  const files = (version: number) => ({
    'pipelines/python/job/main.py': script(version, go),
    'pipelines/python/job/version.txt': String(version),
    'pipelines/python/job/dagster.yaml':
      'script: { command: [python, main.py] }\nretry_policy: { max_retries: 1, delay: 1 }\n',
  });
  const repository = createRepository(files(1));
  const service = await startService({ home, repo: repository.remote });
  onTestFinished(async () => {
    await service.stop();
    repository.remove();
    rmSync(home, { recursive: true, force: true });
  });
  const first = repository.head();
  await service.serves(first);
  const refresh = () => service.api('POST', '/api/v1/components/elt_pipelines/refresh?wait=true');
  const logOf = (runId: string) => service.log(runId, 'python_job');
  const eventsOf = async (runId: string) =>
    (await service.api<{ items: RunEvent[] }>('GET', `/api/v1/runs/${runId}/events?limit=1000`)).items;

  // A push while the run is in the middle of its work.
  const [running] = (await service.launch('job')).run_ids;
  await service.line(running!, 'python_job', `version 1 of ${first}`);
  const second = repository.push(files(2));
  await refresh();
  await service.serves(second);
  writeFileSync(go, '');
  const run = await service.ended(running!);
  expect(run.status).toBe('SUCCESS');
  expect(await logOf(running!)).toEqual([`version 1 of ${first}`, 'ends as 1']);
  expect(run.materializations.map(({ metadata }) => metadata['commit'])).toEqual([first]);
  const [now] = (await service.launch('job')).run_ids;
  expect((await service.ended(now!)).materializations.map(({ metadata }) => metadata['commit'])).toEqual([
    second,
  ]);

  // A fix that is pushed between two attempts.
  const broken = repository.push(files(1));
  await refresh();
  writeFileSync(`${go}.fails`, '');
  const [failing] = (await service.launch('job')).run_ids;
  await service.event(({ run_id: id, type }) => id === failing && type === 'step_retry_scheduled');
  const fixed = repository.push(files(2));
  await refresh();
  expect(await service.ended(failing!)).toMatchObject({ status: 'FAILURE', steps_list: [{ attempt: 2 }] });
  expect(await logOf(failing!)).toEqual([`version 1 of ${broken}`, 'ends as 1']);
  expect((await eventsOf(failing!)).filter(({ type }) => type === 'step_failed')).toHaveLength(2);

  const again = async (latest: boolean) => {
    const body = { from_failure: true, latest };
    const answer = await service.api<LaunchResponse>('POST', `/api/v1/runs/${failing}/retry`, body);
    await service.ended(answer.run_ids[0]!);
    return logOf(answer.run_ids[0]!);
  };
  expect(await again(false)).toEqual([`version 1 of ${broken}`, 'ends as 1']);
  expect(await again(true)).toEqual([`version 2 of ${fixed}`, 'ends as 2']);
});
