import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockHome } from '../../src/store/home-lock.ts';
import { temporaryFolder } from './sqlite-store.ts';

describe('lock of a home (P5)', () => {
  it('is held by one, who is named', async () => {
    const home = join(temporaryFolder(), 'home');
    const lock = await lockHome(home);
    await expect(lockHome(home)).rejects.toMatchObject({
      code: 'HOME_LOCKED',
      message: `${home} is used by process ${process.pid}`,
    });
    const url = 'http://127.0.0.1:3000';
    writeFileSync(join(home, 'service.json'), JSON.stringify({ pid: process.pid, url, token: 'secret' }));
    await expect(lockHome(home)).rejects.toMatchObject({
      message: `${home} is used by process ${process.pid}, which serves ${url}`,
    });
    lock.release();
    (await lockHome(home)).release();
  });

  it('does not believe the service.json of a process that is gone', async () => {
    const home = temporaryFolder();
    writeFileSync(join(home, 'service.json'), JSON.stringify({ pid: 1, url: 'http://127.0.0.1:1' }));
    const lock = await lockHome(home);
    await expect(lockHome(home)).rejects.toMatchObject({
      message: `${home} is used by process ${process.pid}`,
    });
    lock.release();
  });

  it('is one per home', async () => {
    const locks = await Promise.all([lockHome(temporaryFolder()), lockHome(temporaryFolder())]);
    for (const lock of locks) lock.release();
    expect(locks).toHaveLength(2);
  });
});
