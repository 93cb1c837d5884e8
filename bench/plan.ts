import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Plan } from '../src/server/contract/plan.ts';
import { GIT_ENVIRONMENT } from '../test/helpers/git-repository.ts';
import { git } from '../test/helpers/repository.ts';
import { type Figure, median } from './figure.ts';
import { createLargeRepository } from './large-repository.ts';
import { type ServiceProcess, startServiceProcess } from './service-process.ts';

const FOLDERS = Number(process.env['BENCH_FOLDERS'] ?? 1000);
const TRIES = Number(process.env['BENCH_TRIES'] ?? 9);

/** `POST /plan` of a branch on which one folder of many is another, beside a plain fetch of the same branch. */
export async function benchPlan(): Promise<readonly Figure[]> {
  const repository = createLargeRepository(FOLDERS);
  const scratch = mkdtempSync(join(tmpdir(), 'elt-bench-'));
  const service = await startServiceProcess(scratch, { ELT_REPO_URL: repository.remote });
  try {
    await served(service);
    const overs: number[] = [];
    const plans: number[] = [];
    const fetches: number[] = [];
    for (let turn = 0; turn < TRIES; turn++) {
      const branch = `plan-${turn}`;
      git(repository.clone, 'checkout', '--quiet', '-B', branch, 'main');
      repository.commit({ 'pipelines/dlt/p0000/pipeline.py': `def run():\n    print(${turn})\n` });
      git(repository.clone, 'push', '--quiet', 'origin', branch);
      const fetch = plainFetch(repository.remote, branch, scratch, turn);
      const begun = performance.now();
      const plan = await planOf(service, branch);
      const took = performance.now() - begun;
      if (plan.changes.length !== 1) throw new Error(`the plan has ${plan.changes.length} changes`);
      plans.push(took);
      fetches.push(fetch);
      overs.push(took - fetch);
    }
    const told = `(${median(plans).toFixed(0)} and ${median(fetches).toFixed(0)} ms, medians of ${TRIES}; load ${loadavg()[0]!.toFixed(1)})`;
    return [
      {
        what: `${FOLDERS} folders, one changed: plan over \`git fetch\` ${told}`,
        value: median(overs),
        unit: 'ms',
        aim: FOLDERS === 1000 ? 300 : null,
      },
    ];
  } finally {
    await service.stop();
    repository.remove();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Into a mirror that has main already, as the service's does. */
function plainFetch(remote: string, branch: string, scratch: string, turn: number): number {
  const mirror = join(scratch, `mirror-${turn}`);
  const run = (...args: string[]): void => {
    execFileSync('git', args, { env: GIT_ENVIRONMENT, stdio: 'ignore' });
  };
  run('init', '--quiet', '--bare', mirror);
  run(`--git-dir=${mirror}`, 'fetch', '--quiet', '--depth=50', remote, '+refs/heads/main:refs/heads/main');
  const begun = performance.now();
  run(`--git-dir=${mirror}`, 'fetch', '--quiet', '--depth=50', remote, `+refs/heads/${branch}:refs/x`);
  const took = performance.now() - begun;
  rmSync(mirror, { recursive: true, force: true });
  return took;
}

async function served(service: ServiceProcess): Promise<void> {
  const response = await fetch(`${service.url}/api/v1/components/elt_pipelines/refresh?wait=true`, {
    method: 'POST',
  });
  if (!response.ok) throw new Error(await response.text());
}

async function planOf(service: ServiceProcess, ref: string): Promise<Plan> {
  const response = await fetch(`${service.url}/api/v1/plan`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ to: { ref } }),
  });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Plan;
}
