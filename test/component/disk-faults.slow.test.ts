import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { STATE_FILE } from '../../src/state/state-file.ts';
import {
  componentSettings,
  componentWorld,
  condition,
  pipelines,
  pythonFolder,
  serviceSettings,
  stateFile,
} from '../helpers/component.ts';
import { createRepository, GIT_ENVIRONMENT, temporaryDirectory } from '../helpers/git-repository.ts';
import { startGitServer } from '../helpers/git-server.ts';

const SCRIPT = path.join(import.meta.dirname, '../helpers/refresh-process.ts');
const NOBODY = 65_534;

/** Random enough that no packing makes it small. */
function noise(bytes: number): string {
  let state = 1;
  return Buffer.from(
    Array.from({ length: bytes }, () => (state = (state * 48_271) % 2_147_483_647) & 255),
  ).toString('hex');
}

describe('G8: no room, or nothing may be written', () => {
  it('while fetching: the old revision is served with the reason, nothing half is left, it recovers alone', async () => {
    const repository = createRepository();
    const good = repository.push(pythonFolder('a'));
    const server = await startGitServer(path.dirname(repository.bare));
    // A limit on the size of files is the one full disk that a test can have anywhere.
    const bin = temporaryDirectory();
    const full = path.join(bin, 'full');
    const real = process.env['PATH'] ?? '';
    writeFileSync(
      path.join(bin, 'git'),
      `#!/bin/sh\nPATH='${real}'\nif [ -e '${full}' ]; then trap '' XFSZ; ulimit -f 32; fi\nexec git "$@"\n`,
      { mode: 0o755 },
    );
    const environment = { ...GIT_ENVIRONMENT, PATH: `${bin}:${real}` };
    const world = await componentWorld(`${server.url}/remote.git`, { environment });
    await world.refresh();
    const before = stateFile(world);
    const next = repository.push({ ...pythonFolder('b'), 'pipelines/python/b/data.txt': noise(100_000) });
    writeFileSync(full, '');
    for (const _look of ['first', 'second'])
      expect(await world.refresh()).toMatchObject({
        status: 'failed',
        commit: good,
        error: { code: 'DISK_FULL', hint: expect.stringContaining('free space') },
      });
    expect(pipelines(world)).toEqual([`a current ${good.slice(0, 7)}`]);
    expect(condition(world, 'FetchFailed')).toMatchObject({ status: 'True', reason: 'DiskFull' });
    expect(condition(world, 'Ready')).toMatchObject({ status: 'True', reason: 'LastKnownGood' });
    const { conditions: _, ...rest } = JSON.parse(stateFile(world));
    expect({ ...rest, conditions: undefined }).toEqual({ ...JSON.parse(before), conditions: undefined });
    rmSync(full);
    expect(await world.refresh()).toMatchObject({ status: 'applied', commit: next });
    expect(condition(world, 'FetchFailed')).toMatchObject({ status: 'False' });
    const left = readdirSync(path.join(world.dir, 'repo_clone'), { recursive: true }).map(String);
    expect(left.filter((name) => /tmp_|\.lock$/.test(name))).toEqual([]);
  });

  it('while writing the state: the old file stays whole, the reason is told, it recovers by itself', async (ctx) => {
    const home = temporaryDirectory();
    const repository = createRepository();
    const good = repository.push(pythonFolder('a'));
    const url = `${(await startGitServer(path.dirname(repository.bare))).url}/remote.git`;
    const world = await componentWorld(url, { home });
    await world.refresh();
    const dir = world.dir;
    await world.service.close();
    await world.store.close();
    // Modes bind nobody but root: as another user everything may be written but the folder of the state file.
    if (process.getuid?.() === 0) execFileSync('chown', ['-R', String(NOBODY), home]);
    const before = readFileSync(path.join(dir, STATE_FILE), 'utf8');
    const settings = serviceSettings(home, [componentSettings(home, url)]);

    /** What a service of its own says of a refresh of it. */
    function refreshed(): Promise<string> {
      const root = process.getuid?.() === 0;
      const child = spawn(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', SCRIPT, JSON.stringify(settings)],
        {
          stdio: ['ignore', 'pipe', 'pipe'],
          ...(root ? { uid: NOBODY, gid: NOBODY } : {}),
        },
      );
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (part: Buffer) => (output += String(part)));
      return new Promise((resolve) => child.once('close', () => resolve(output)));
    }

    const next = repository.push(pythonFolder('b'));
    chmodSync(dir, 0o555);
    const output = await refreshed();
    if (/EACCES.*node_modules|Cannot find module/.test(output))
      ctx.skip('another user cannot read the checkout');
    expect(output).toContain(`"status":"failed","commit":"${good}","error":"DISK_FULL"`);
    expect(output).toContain('"type":"Ready","status":"True","reason":"LastKnownGood"');
    expect(output).toContain('cannot write pipelines_state.json: it may not be written');
    expect(readFileSync(path.join(dir, STATE_FILE), 'utf8')).toBe(before);
    expect(readdirSync(dir).filter((name) => name.includes('.tmp-'))).toEqual([]);
    chmodSync(dir, 0o755);
    expect(await refreshed()).toContain(`"status":"applied","commit":"${next}"`);
    expect(JSON.parse(readFileSync(path.join(dir, STATE_FILE), 'utf8'))).toMatchObject({
      repo: { commit: next },
    });
  });
});
