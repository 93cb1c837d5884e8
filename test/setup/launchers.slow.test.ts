import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, readdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshCheckout, installedCheckout, plainEnvironment, run, withCommand } from './checkout.ts';

describe('a checkout without packages', () => {
  let root: string;
  let remove: () => Promise<void>;

  beforeAll(async () => {
    ({ root, remove } = await freshCheckout());
  });
  afterAll(() => remove());

  it.each([
    ['elt', '--help'],
    ['elt', 'help'],
    ['elt-dev', '-h'],
    ['elt-dev', '3000', '--help'],
  ])('%s %s prints help and installs nothing', async (launcher, ...args) => {
    const { code, stdout, stderr } = await run(join(root, launcher), args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: ${launcher} `));
    expect(existsSync(join(root, 'node_modules'))).toBe(false);
  });

  it('refuses Windows in one line that names WSL', async () => {
    const env = await withCommand(root, 'uname', 'echo MINGW64_NT-10.0-22631 x86_64');
    const { code, stderr } = await run(join(root, 'elt-dev'), ['3000'], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^elt: .*WSL.*\n$/);
  });

  it('refuses a platform without a packaged Node in one line', async () => {
    const env = await withCommand(root, 'uname', 'echo Linux riscv64');
    const { code, stderr } = await run(join(root, 'elt'), ['list'], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^elt: .*Linux-riscv64.*\n$/);
    expect(existsSync(join(root, 'node_modules'))).toBe(false);
  });

  it('installs once for starts at the same time, whatever the npm settings, and after kill -9', async () => {
    const link = join(root, '../link to elt-dev');
    await symlink('a checkout/elt-dev', link);
    const hostile = {
      NODE_ENV: 'production',
      npm_config_omit: 'dev optional',
      npm_config_engine_strict: 'true',
    };

    // A launcher killed alone leaves npm behind, which holds the lock …
    const killed = spawn(join(root, 'elt'), ['list'], {
      env: plainEnvironment(),
      detached: true,
      stdio: 'pipe',
    });
    const reportsDisk = once(killed.stderr, 'data');
    expect(String(await reportsDisk)).toMatch(/about \d+ MB here/);
    await waitUntil(() => existsSync(join(root, 'node_modules')));
    killed.kill('SIGKILL');
    await once(killed, 'exit');

    const waiting = spawn(join(root, 'elt'), ['show', 'a b', '*'], {
      cwd: '/',
      env: { ...plainEnvironment(), ...hostile },
      stdio: 'pipe',
    });
    expect(String(await once(waiting.stderr, 'data'))).toMatch(/another set-up is running/);

    // … until it is killed too, mid-way. Two more starts then wait for one installation.
    process.kill(-(killed.pid ?? 0), 'SIGKILL');
    const [second, stdout, stderr] = await Promise.all([
      run(link, ['4000'], { env: hostile }),
      text(waiting.stdout),
      text(waiting.stderr),
    ]);

    expect(JSON.parse(stdout)).toMatchObject({ argv: ['show', 'a b', '*'] });
    expect(JSON.parse(second.stdout)).toMatchObject({
      argv: ['dev', '4000'],
      node: expect.stringMatching(/^24\./),
      exe: expect.stringContaining(join(root, 'node_modules/')),
    });
    expect(`${stderr}${second.stderr}`.match(/installed in/g)).toHaveLength(1);
    expect(existsSync(join(root, 'node_modules/.bin/vitest'))).toBe(true);
  });

  it('does nothing at the next start', async () => {
    const env = await withCommand(root, 'npm', 'exit 99');
    const { code, stdout, stderr } = await run(join(root, 'elt'), ['fail', '--help'], { env });
    expect({ code, stderr }).toEqual({ code: 7, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ argv: ['fail', '--help'] });
  });

  it('sets up again for another platform', async () => {
    const [stamp = ''] = (await readdir(join(root, 'node_modules'))).filter((name) =>
      name.startsWith('.elt-'),
    );
    await rename(join(root, 'node_modules', stamp), join(root, 'node_modules/.elt-installed-Plan9-vax'));
    const env = await withCommand(root, 'npm', 'echo "npm $1" >&2; exit 99');
    const { code, stderr } = await run(join(root, 'elt'), ['list'], { env });
    expect(code).toBe(99);
    expect(stderr).toMatch(/npm ci/);
  });
});

describe('a checkout with packages', () => {
  it('sets up again after a change of the lockfile', async () => {
    const { root, env, remove } = await installedCheckout();
    try {
      expect(await run(join(root, 'elt'), ['list'], { env })).toMatchObject({ code: 0, stderr: '' });
      await appendFile(join(root, 'package-lock.json'), '\n');
      const { code, stderr } = await run(join(root, 'elt'), ['list'], { env });
      expect(code).toBe(99);
      expect(stderr).toMatch(/npm ci/);
    } finally {
      await remove();
    }
  });

  it('runs tools on the packaged Node', async () => {
    const { root, env, remove } = await installedCheckout();
    try {
      const { stdout } = await run('sh', [join(root, 'scripts/run.sh'), 'node', '-p', 'process.version'], {
        env,
      });
      expect(stdout).toMatch(/^v24\./);
    } finally {
      await remove();
    }
  });
});

/** For what another program does to the file system, where no event tells. */
async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
