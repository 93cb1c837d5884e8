import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { decodeSnapshot } from '../../src/state/codec.ts';
import { STATE_FILE } from '../../src/state/state-file.ts';
import { componentSettings, componentWorld, pythonFolder, serviceSettings } from '../helpers/component.ts';
import { createRepository, temporaryDirectory } from '../helpers/git-repository.ts';

const SCRIPT = path.join(import.meta.dirname, '../helpers/refresh-process.ts');

/** Starts a refresh in a process of its own and kills it `afterMs` after it is ready; true if it was not done yet. */
async function killedRefresh(home: string, repoUrl: string, afterMs: number): Promise<boolean> {
  const settings = serviceSettings(home, [componentSettings(home, repoUrl)]);
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', SCRIPT, JSON.stringify(settings)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const wasReady = output.includes('ready');
    output += chunk.toString();
    if (!wasReady && output.includes('ready')) setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  await new Promise((resolve) => child.once('close', resolve));
  return !output.includes('done');
}

it('P1, G7: killed at any moment of a refresh, it has the old or the new revision, whole, and goes on', async () => {
  const repository = createRepository();
  const home = temporaryDirectory();
  const commits: string[] = [];
  let killed = 0;
  for (let round = 0; round < 14; round++) {
    commits.push(
      repository.push({ ...pythonFolder('a', `group: g${round}\n`), ...pythonFolder(`p${round}`) }),
    );
    if (await killedRefresh(home, repository.bare, 8 * round)) killed++;
    const file = path.join(home, 'components/shop', STATE_FILE);
    if (existsSync(file)) {
      const state = decodeSnapshot(readFileSync(file, 'utf8'));
      expect('ok' in state && commits.slice(-2)).toContain(
        'ok' in state ? state.ok.repo.commit : state.problem,
      );
    }
    const world = await componentWorld(repository.bare, { home });
    const served = world.service.component('shop')?.snapshot ?? null;
    if (served !== null) {
      expect(commits.slice(-2)).toContain(served.repo.commit);
      expect(served.pipelines).toHaveLength(commits.indexOf(served.repo.commit) + 2);
    }
    const outcome = await world.refresh();
    expect(outcome).toMatchObject({ error: null, commit: commits.at(-1) });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ repo: { commit: commits.at(-1) } });
    const left = readdirSync(path.join(home, 'components/shop')).filter((name) =>
      /\.(new|old|pid)$|\.tmp-/.test(name),
    );
    expect(left).toEqual([]);
    await world.service.close();
    await world.store.close();
  }
  expect(killed).toBeGreaterThan(2);
});
