import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Component, RefreshResult, Revision } from '../src/server/contract/component.ts';
import { GIT_ENVIRONMENT } from '../test/helpers/git-repository.ts';
import { openGitServer } from '../test/helpers/git-server.ts';
import type { TestRepository } from '../test/helpers/repository.ts';
import { ROOT } from '../test/helpers/service.ts';
import { type Figure, median } from './figure.ts';
import { createLargeRepository } from './large-repository.ts';
import { benchPush, WEBHOOK_SECRET } from './push.ts';
import { type ServiceProcess, startServiceProcess } from './service-process.ts';

const SIZES = (process.env['BENCH_FOLDERS'] ?? '10,100,1000,5000').split(',').map(Number);
/** The size that the aims are about. */
const AIMED = 1000;
const TRIES = Number(process.env['BENCH_TRIES'] ?? 9);
const CLONES = 3;
const VALIDATE: Readonly<Record<number, { readonly aim: number; readonly peer: string }>> = {
  1000: { aim: 0.8, peer: 'Dagster: 7.9 s' },
  5000: { aim: 3, peer: 'Dagster: 44.9 s' },
};

/** A refresh beside plain git on the same repository, from the same server, turn by turn. */
export async function benchRefresh(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const size of SIZES) figures.push(...(await refreshOf(size)));
  return figures;
}

async function refreshOf(folders: number): Promise<Figure[]> {
  const repository = createLargeRepository(folders);
  const server = await openGitServer(join(repository.remote, '..'));
  const url = `${server.url}/pipelines.git`;
  const scratch = mkdtempSync(join(tmpdir(), 'elt-bench-'));
  try {
    const first = await firstClones(url, scratch);
    const warm = await onServedRepository(repository, url, scratch, folders);
    const at = (what: string) => `${folders} folders: ${what}`;
    const aimed = (aim: number) => (folders === AIMED ? aim : null);
    return [
      {
        what: at(`first refresh over \`git clone --bare --depth 50\` ${told(first)}`),
        value: first.over,
        unit: 'ms',
        aim: null,
      },
      {
        what: at(`no-op refresh over \`git fetch\` ${told(warm.noOp)}`),
        value: warm.noOp.over,
        unit: 'ms',
        aim: aimed(15),
      },
      {
        what: at(
          `refresh after one changed folder over \`git fetch\`, ${warm.read} read again ${told(warm.changed)}`,
        ),
        value: warm.changed.over,
        unit: 'ms',
        aim: aimed(150),
      },
      ...warm.figures.map((figure) => ({ ...figure, what: at(figure.what) })),
      ...validations(repository, folders).map((figure) => ({ ...figure, what: at(figure.what) })),
    ];
  } finally {
    await server.close();
    repository.remove();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Medians; `over` is the median of what ours took longer, pair by pair. */
interface Pairs {
  readonly ours: number;
  readonly git: number;
  readonly over: number;
  readonly tries: number;
  readonly load: number;
}

function told({ ours, git, tries, load }: Pairs): string {
  return `(${ours.toFixed(0)} and ${git.toFixed(0)} ms, medians of ${tries}; load ${load.toFixed(1)})`;
}

/** Who goes first alternates: whoever does may warm the server's caches for the other. */
async function pairs(
  tries: number,
  ours: (nth: number) => Promise<number>,
  plain: (nth: number) => Promise<number>,
  before: (nth: number) => unknown = () => undefined,
): Promise<Pairs> {
  const all: { ours: number; git: number }[] = [];
  for (let nth = 0; nth < tries; nth++) {
    before(nth);
    if (nth % 2 === 0) {
      const git = await plain(nth);
      all.push({ git, ours: await ours(nth) });
    } else {
      const own = await ours(nth);
      all.push({ ours: own, git: await plain(nth) });
    }
  }
  return {
    ours: median(all.map((one) => one.ours)),
    git: median(all.map((one) => one.git)),
    over: median(all.map((one) => one.ours - one.git)),
    tries,
    load: loadavg()[0]!,
  };
}

/** From the start of the refresh to the applied revision, as the service itself records it. */
function firstClones(url: string, scratch: string): Promise<Pairs> {
  return pairs(
    CLONES,
    async () => {
      const home = mkdtempSync(join(scratch, 'home-'));
      const service = await startServiceProcess(home, environment(url));
      const [component] = await served(service);
      const { items } = await service.get<{ items: Revision[] }>(
        `/api/v1/components/${component!.name}/revisions`,
      );
      await service.stop();
      return items.at(-1)!.seconds * 1000;
    },
    (nth) =>
      milliseconds(() =>
        git(scratch, 'clone', '--quiet', '--bare', '--depth', '50', url, `plain-${nth}.git`),
      ),
  );
}

async function onServedRepository(
  repository: TestRepository,
  url: string,
  scratch: string,
  folders: number,
): Promise<{ noOp: Pairs; changed: Pairs; read: string; figures: Figure[] }> {
  const mirror = join(scratch, 'mirror.git');
  await git(scratch, 'clone', '--quiet', '--mirror', url, mirror);
  const read: number[] = [];
  const service = await startServiceProcess(mkdtempSync(join(scratch, 'home-')), environment(url), (line) => {
    const found = /"folders_read":(\d+)/.exec(line)?.[1];
    if (found !== undefined) read.push(Number(found));
  });
  try {
    const { name } = (await served(service))[0]!;
    const afterFirst = service.peakMemory();
    const refresh = (status: RefreshResult['status']) => async () => {
      const begun = performance.now();
      const result = await service.post<RefreshResult>(`/api/v1/components/${name}/refresh?wait=true`, {});
      const taken = performance.now() - begun;
      if (result.status !== status) throw new Error(`a refresh was ${result.status} in place of ${status}`);
      return taken;
    };
    const fetchOnce = () => milliseconds(() => git(mirror, 'fetch', '--quiet', 'origin'));
    const noOp = await pairs(TRIES, refresh('unchanged'), fetchOnce);
    read.splice(0);
    const changed = await pairs(TRIES, refresh('applied'), fetchOnce, (nth) => {
      const index = String((nth * 10) % folders).padStart(4, '0');
      const file = `pipelines/dlt/p${index}/requirements.txt`;
      return repository.push({ [file]: `dlt==1.${nth}\n` });
    });
    const peak = service.peakMemory();
    return {
      noOp,
      changed,
      read: [...new Set(read)].join(', '),
      figures: [
        { what: `memory at most after the first refresh (VmHWM)`, value: afterFirst, unit: 'MiB', aim: null },
        { what: `memory at most after ${2 * TRIES} more (VmHWM)`, value: peak, unit: 'MiB', aim: null },
        ...(folders === AIMED ? await benchPush(service, repository, url) : []),
      ],
    };
  } finally {
    await service.stop();
  }
}

function environment(url: string): Record<string, string> {
  return { ELT_REPO_URL: url, ELT_REFRESH_INTERVAL: '1h', ELT_WEBHOOK_SECRET: WEBHOOK_SECRET };
}

/** Until the repository is served and no refresh is under way. */
async function served(service: ServiceProcess): Promise<readonly Component[]> {
  for (;;) {
    const { items } = await service.get<{ items: Component[] }>('/api/v1/components');
    if (items.every((one) => one.last_applied !== null && !one.refreshing)) return items;
    await wait(100);
  }
}

function validations(repository: TestRepository, folders: number): Figure[] {
  const asked = VALIDATE[folders];
  if (asked === undefined) return [];
  const seconds: number[] = [];
  for (let nth = 0; nth < 5; nth++) {
    const begun = performance.now();
    execFileSync(join(ROOT, 'elt'), ['validate', repository.clone], {
      stdio: 'ignore',
    });
    seconds.push((performance.now() - begun) / 1000);
  }
  return [
    {
      what: `elt validate, the whole process (median of 5; load ${loadavg()[0]!.toFixed(1)})`,
      value: median(seconds),
      unit: 's',
      ...asked,
    },
  ];
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** Not synchronously: the server is in this process. */
async function git(cwd: string, ...args: readonly string[]): Promise<void> {
  const child = spawn('git', args, { cwd, env: GIT_ENVIRONMENT, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`git ${args[0]} ended with ${code}`);
}
