import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect } from 'vitest';
import { componentWorld, pythonFolder } from '../helpers/component.ts';
import { createRepository, GIT_ENVIRONMENT } from '../helpers/git-repository.ts';
import { startGitServer } from '../helpers/git-server.ts';

export interface Size {
  readonly folders: number;
  /** Files beside the pipelines. */
  readonly files: number;
  /** Commits before the head, each with so many bytes that no packing makes small. */
  readonly commits: number;
  readonly bytes: number;
}

export interface Bounds {
  /** Processor time of the service for the first refresh, and for one after one folder changed. */
  readonly firstSeconds: number;
  readonly nextSeconds: number;
  /** What the process may grow by. */
  readonly memoryBytes: number;
  readonly mirrorBytes: number;
  /** How long nobody else is answered. */
  readonly silenceMs: number;
}

/** A refresh of a large repository, and one after one folder changed, hold bounds of time, memory and disk (fault G14). */
export async function expectBounded(size: Size, bounds: Bounds): Promise<void> {
  const repository = createRepository();
  await importLarge(repository.bare, size);
  execFileSync('git', ['-C', repository.bare, 'config', 'uploadpack.allowFilter', 'true']);
  const server = await startGitServer(path.dirname(repository.bare));
  const world = await componentWorld(`${server.url}/remote.git`, { settings: { sparsePaths: [] } });
  const memory = process.memoryUsage().rss;
  let highest = memory;
  const silence = monitorEventLoopDelay({ resolution: 10 });
  const sampling = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage().rss);
  }, 20);
  silence.enable();
  const first = await measured(() => world.refresh());
  expect(first.outcome).toMatchObject({ status: 'applied', error: null });
  const before = world.service.component('shop')!.snapshot!.pipelines;
  expect(before).toHaveLength(size.folders);

  const commit = await importChange(repository.bare);
  const next = await measured(() => world.refresh());
  clearInterval(sampling);
  silence.disable();
  expect(next.outcome).toMatchObject({ status: 'applied', commit, error: null });
  // Only the folder that changed was read again: of all others the very objects are there.
  const after = world.service.component('shop')!.snapshot!.pipelines;
  expect(after.filter((one, index) => one !== before[index]).map(({ name }) => name)).toEqual([
    'python_p00000',
  ]);

  const found = {
    firstSeconds: first.seconds,
    nextSeconds: next.seconds,
    memoryBytes: highest - memory,
    mirrorBytes: bytesBelow(path.join(world.dir, 'repo_clone')),
    silenceMs: silence.max / 1e6,
  };
  console.log(`${size.folders} folders, ${size.files} files: ${JSON.stringify(found)}`);
  for (const [name, bound] of Object.entries(bounds))
    expect(found[name as keyof Bounds], name).toBeLessThan(bound as number);
}

/** Processor time, so that a busy machine is no failure. */
async function measured<T>(work: () => Promise<T>): Promise<{ outcome: T; seconds: number }> {
  const before = process.cpuUsage();
  const outcome = await work();
  const { user, system } = process.cpuUsage(before);
  return { outcome, seconds: (user + system) / 1e6 };
}

async function importLarge(bare: string, size: Size): Promise<void> {
  await fastImport(bare, function* () {
    for (let n = 0; n < size.commits; n++) {
      yield commitLine(n + 1);
      yield file('data/large.bin', randomBytes(size.bytes));
    }
    yield commitLine(size.commits + 1);
    for (let n = 0; n < size.files; n++) yield file(`data/${n % 100}/${n}.csv`, Buffer.from(`${n}\n`));
    for (let n = 0; n < size.folders; n++) {
      const name = `p${String(n).padStart(5, '0')}`;
      for (const [where, text] of Object.entries(pythonFolder(name, `group: g${n % 20}\n`)))
        yield file(where, Buffer.from(text));
    }
  });
}

async function importChange(bare: string): Promise<string> {
  await fastImport(bare, function* () {
    yield commitLine(2_000_000, 'refs/heads/main^0');
    yield file('pipelines/python/p00000/run.py', Buffer.from('print("changed")\n'));
  });
  return execFileSync('git', ['-C', bare, 'rev-parse', 'main'], {
    env: GIT_ENVIRONMENT,
    encoding: 'utf8',
  }).trim();
}

/** git-fast-import(1): a repository of any size within seconds. */
async function fastImport(bare: string, lines: () => Generator<Buffer | string>): Promise<void> {
  const child = spawn('git', ['-C', bare, 'fast-import', '--quiet'], {
    env: GIT_ENVIRONMENT,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const closed = once(child, 'close') as Promise<[number]>;
  for (const line of lines()) if (!child.stdin.write(line)) await once(child.stdin, 'drain');
  child.stdin.end('done\n');
  expect((await closed)[0]).toBe(0);
}

function commitLine(second: number, from: string | null = null): string {
  const head = `commit refs/heads/main\ncommitter Ada <ada@example.com> ${1_760_000_000 + second} +0000\ndata 1\nx\n`;
  return from === null ? head : `${head}from ${from}\n`;
}

function file(name: string, content: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`M 100644 inline ${name}\ndata ${content.length}\n`),
    content,
    Buffer.from('\n'),
  ]);
}

function bytesBelow(dir: string): number {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0);
}
