import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/lib/log.ts';
import type { EnvironmentProgress } from '../../../src/runners/environment.ts';
import { buildDirectory, touchReady } from '../../../src/runners/environments/build-directory.ts';
import {
  createEnvironments,
  type EnvironmentManager,
} from '../../../src/runners/environments/create-environments.ts';
import { ROOT, TEST_CACHE, testTools } from '../../helpers/tool-environments.ts';

/** Writes a wheel of a package with one constant: the smallest thing that can be installed. */
const MAKE_WHEEL = `
import base64, hashlib, sys, zipfile
folder, name, version = sys.argv[1:]
info = f"{name}-{version}.dist-info"
files = {f"{name}.py": f"VERSION = '{version}'\\n",
         f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n",
         f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
digest = lambda text: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
files[f"{info}/RECORD"] = "".join(f"{path},sha256={digest(text)},{len(text)}\\n" for path, text in files.items()) + f"{info}/RECORD,,\\n"
with zipfile.ZipFile(f"{folder}/{name}-{version}-py3-none-any.whl", "w") as wheel:
    for path, text in files.items():
        wheel.writestr(path, text)
`;

/** Writes a package that has to be built, by a backend of its own, so that nothing else is needed for it. */
const MAKE_SDIST = `
import io, sys, tarfile
folder, name, version, make_wheel = sys.argv[1:]
backend = f"""import subprocess, sys
def build_wheel(folder, config_settings=None, metadata_directory=None):
    subprocess.run([sys.executable, "-c", {make_wheel!r}, folder, {name!r}, {version!r}], check=True)
    return "{name}-{version}-py3-none-any.whl"
"""
files = {"backend.py": backend, "PKG-INFO": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n",
         "pyproject.toml": f"[project]\\nname = '{name}'\\nversion = '{version}'\\n[build-system]\\nrequires = []\\nbuild-backend = 'backend'\\nbackend-path = ['.']\\n"}
with tarfile.open(f"{folder}/{name}-{version}.tar.gz", "w:gz") as archive:
    for path, text in files.items():
        info = tarfile.TarInfo(f"{name}-{version}/{path}"); info.size = len(text)
        archive.addfile(info, io.BytesIO(text.encode()))
`;

let wheels: string;
let python: string;

beforeAll(async () => {
  const tools = await testTools();
  python = tools.basePython;
  wheels = await mkdtemp(join(tmpdir(), 'elt-wheels-'));
  for (const version of ['1.0', '2.0']) await execa(python, ['-c', MAKE_WHEEL, wheels, 'tiny', version]);
  await execa(python, ['-c', MAKE_SDIST, wheels, 'unbuilt', '1.0', MAKE_WHEEL]);
});

/** A manager over a home of its own, with a folder of wheels as its only package index. */
async function environments(
  home?: string,
  extra: NodeJS.ProcessEnv = {},
): Promise<{ manager: EnvironmentManager; home: string; envs: string }> {
  const folder = home ?? (await mkdtemp(join(tmpdir(), 'elt-envs-')));
  // The shared copy of uv is found on PATH, so that no test loads it again.
  const [version] = existsSync(join(TEST_CACHE, 'envs/uv')) ? await readdir(join(TEST_CACHE, 'envs/uv')) : [];
  const uv = version === undefined ? '' : `${join(TEST_CACHE, 'envs/uv', version, 'bin')}:`;
  const env = {
    PATH: `${uv}${process.env.PATH}`,
    HOME: process.env.HOME,
    PIP_FIND_LINKS: wheels,
    UV_NO_INDEX: '1',
    ...extra,
  };
  return {
    manager: createEnvironments({ home: folder, root: ROOT, logger: createLogger('silent'), env }),
    home: folder,
    envs: join(folder, 'envs'),
  };
}

/** A package index that has `tiny`. */
async function startIndex(): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = createServer((request, response) => {
    const name = decodeURIComponent(request.url!.split('/').at(-1)!);
    if (name.endsWith('.whl')) return void createReadStream(join(wheels, name)).pipe(response);
    response.setHeader('content-type', 'text/html');
    response.end('<a href="/files/tiny-1.0-py3-none-any.whl">tiny-1.0-py3-none-any.whl</a>');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}/simple`, close };
}

async function tree(requirements: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'elt-tree-'));
  await writeFile(join(folder, 'requirements.txt'), requirements);
  return folder;
}

async function versionIn(interpreter: string): Promise<string> {
  return (await execa(interpreter, ['-c', 'import tiny; print(tiny.VERSION)'])).stdout;
}

describe('environments of folders', () => {
  it('are built once per lock, shared by equal requirements, and locked against later releases', async () => {
    const { manager, home, envs } = await environments();
    const progress: EnvironmentProgress[] = [];
    manager.onProgress((event) => progress.push(event));
    const [a, b] = await Promise.all([
      manager.ensure({ config: {}, treeDir: await tree('tiny<2\n') }),
      manager.ensure({ config: {}, treeDir: await tree('# the same\ntiny<2') }),
    ]);
    expect(b).toEqual(a);
    expect(await versionIn(a.python)).toBe('1.0');
    expect(progress.filter((event) => event.stage === 'install')).toHaveLength(1);
    expect(progress.map((event) => event.status)).toContain('building');
    expect(progress.at(-1)).toEqual({
      envKey: a.envKey,
      stage: 'ready',
      message: 'installed 1 packages of requirements.txt',
      status: 'ready',
    });

    const newest = await manager.ensure({ config: {}, treeDir: await tree('tiny') });
    expect(await versionIn(newest.python)).toBe('2.0');
    await execa(python, ['-c', MAKE_WHEEL, wheels, 'tiny', '3.0']);
    const { manager: later } = await environments(home);
    expect(await later.ensure({ config: {}, treeDir: await tree('tiny') })).toEqual(newest);
    expect((await later.status()).map(({ envKey, status }) => [envKey, status])).toEqual(
      [a.envKey, newest.envKey].sort().map((key) => [key, 'ready']),
    );
    expect(existsSync(join(envs, a.envKey, '.ready'))).toBe(true);
  });

  it('fail with the reason of the package tool, and are tried again', async () => {
    const { manager } = await environments();
    const folder = await tree('tiny==9.9');
    for (const _ of [1, 2]) {
      await expect(manager.ensure({ config: {}, treeDir: folder })).rejects.toMatchObject({
        code: 'ENVIRONMENT_FAILED',
        next: 'stalled',
        message: expect.stringMatching(
          /^requirements\.txt: No solution found .*there is no version of tiny==9\.9/,
        ),
      });
    }
    await execa(python, ['-c', MAKE_WHEEL, wheels, 'tiny', '9.9']);
    expect(await versionIn((await manager.ensure({ config: {}, treeDir: folder })).python)).toBe('9.9');
  });

  it('name a Python that is not there', async () => {
    const { manager } = await environments();
    await expect(
      manager.ensure({ config: { python: '==3.10.0' }, treeDir: await tree('tiny') }),
    ).rejects.toMatchObject({
      code: 'PYTHON_NOT_FOUND',
      message: expect.stringContaining('environment.python asks for ==3.10.0'),
    });
  });

  it('are rebuilt when a build did not finish', async () => {
    const { manager, envs } = await environments();
    const folder = await tree('tiny<2');
    const { envKey, python: interpreter } = await manager.ensure({ config: {}, treeDir: folder });
    await rm(join(envs, envKey, '.ready'));
    await rm(join(envs, envKey, 'bin'), { recursive: true });
    await writeFile(join(envs, envKey, 'half'), '');
    await manager.ensure({ config: {}, treeDir: folder });
    expect(await versionIn(interpreter)).toBe('1.0');
    expect(existsSync(join(envs, envKey, 'half'))).toBe(false);
  });

  it('wait for another process that holds the lock, which its death sets free', async () => {
    const { manager, envs } = await environments();
    const folder = await tree('tiny<2');
    const { envKey } = await manager.ensure({ config: {}, treeDir: folder });
    await rm(join(envs, envKey, '.ready'));
    const holder = spawn(python, [
      '-c',
      `import fcntl, sys; f = open(sys.argv[1], "a"); fcntl.flock(f, fcntl.LOCK_EX); print("held", flush=True); sys.stdin.read()`,
      join(envs, `${envKey}.lock`),
    ]);
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const waiting = new Promise<EnvironmentProgress>((resolve) => {
      manager.onProgress((event) => event.stage === 'waiting' && resolve(event));
    });
    const ensured = manager.ensure({ config: {}, treeDir: folder });
    expect((await waiting).message).toBe(
      'waiting: another process is installing 1 packages of requirements.txt',
    );
    holder.kill('SIGKILL');
    expect((await ensured).envKey).toBe(envKey);
  });

  it('let one caller go without ending the build of the others', async () => {
    const { manager } = await environments();
    const folder = await tree('tiny<2');
    const abort = new AbortController();
    const started = new Promise<void>((resolve) => void manager.onProgress(() => resolve()));
    const impatient = manager.ensure({ config: {}, treeDir: folder }, abort.signal);
    const patient = manager.ensure({ config: {}, treeDir: folder });
    await started;
    abort.abort(new Error('cancelled'));
    await expect(impatient).rejects.toThrow('cancelled');
    expect(await versionIn((await patient).python)).toBe('1.0');
  });

  it('are collected when nobody asked for them, not when somebody did', async () => {
    const { manager, envs } = await environments();
    const old = await manager.ensure({ config: {}, treeDir: await tree('tiny<2') });
    const used = await manager.ensure({ config: {}, treeDir: await tree('tiny<3') });
    await mkdir(join(envs, 'default-0'), { recursive: true });
    for (const key of [old.envKey, used.envKey, 'default-0']) {
      await writeFile(join(envs, key, '.ready'), '{"message":"installing"}');
      await utimes(join(envs, key, '.ready'), 0, 0);
    }
    await manager.ensure({ config: {}, treeDir: await tree('tiny<3') });
    expect(await manager.collectUnused(86_400_000)).toEqual([old.envKey]);
    expect((await readdir(envs)).filter((name) => /^[0-9a-f]{32}$/.test(name))).toEqual([used.envKey]);
    expect(existsSync(join(envs, 'default-0'))).toBe(true);
  });
});

describe('without uv', () => {
  /** Neither on PATH, nor from the index. */
  const withoutUv = (url: string): NodeJS.ProcessEnv => {
    return { PATH: dirname(python), PIP_FIND_LINKS: '', PIP_INDEX_URL: url, PIP_RETRIES: '0' };
  };

  it('pip resolves and builds the same environment, from a lock with digests', async () => {
    const index = await startIndex();
    const { manager, home, envs } = await environments(undefined, withoutUv(index.url));
    const treeDir = await tree('tiny<2\n');
    const built = await manager.ensure({ config: {}, treeDir });
    expect(await versionIn(built.python)).toBe('1.0');
    const lock = await readFile(join(envs, 'locks', `${built.envKey}.txt`), 'utf8');
    expect(lock).toMatch(/^tiny==1\.0 --hash=sha256:[0-9a-f]{64}\n/);
    expect(await readdir(join(envs, 'uv'))).toEqual([]);
    // With uv again, the lock that pip has made goes on holding.
    const { manager: later } = await environments(home);
    expect(await later.ensure({ config: {}, treeDir })).toEqual(built);
    index.close();
  }, 60_000);

  it('a uv.lock cannot be read, and that is said', async () => {
    const { manager } = await environments(undefined, withoutUv('http://127.0.0.1:9/simple'));
    const treeDir = await tree('tiny');
    await writeFile(join(treeDir, 'uv.lock'), 'version = 1\n');
    await writeFile(join(treeDir, 'pyproject.toml'), '[project]\nname = "p"\nversion = "1"\n');
    await expect(manager.ensure({ config: {}, treeDir })).rejects.toMatchObject({
      message: 'uv.lock can only be read by uv, which cannot be had',
    });
  });
});

it('a committed lock wins over requirements, also a later one', async () => {
  const { manager } = await environments();
  const treeDir = await tree('tiny>=2\n');
  await writeFile(join(treeDir, 'requirements.lock'), 'tiny==1.0\n');
  expect(await versionIn((await manager.ensure({ config: {}, treeDir })).python)).toBe('1.0');
});

it('two services build an environment once', async () => {
  const { manager, home } = await environments();
  const { manager: other } = await environments(home);
  const stages: string[] = [];
  for (const one of [manager, other]) one.onProgress(({ stage }) => void stages.push(stage));
  const treeDir = await tree('tiny<2');
  const [a, b] = await Promise.all([manager, other].map((one) => one.ensure({ config: {}, treeDir })));
  expect(b).toEqual(a);
  expect(stages.filter((stage) => stage === 'install')).toHaveLength(1);
  // One that comes late finds it ready, and has nothing to tell.
  expect(stages.at(-1)).toBe('ready');
});

it('builds without a network what was installed before, and says what is missing otherwise', async () => {
  const index = await startIndex();
  const cache = await mkdtemp(join(tmpdir(), 'elt-uv-cache-'));
  const online = {
    PIP_FIND_LINKS: '',
    UV_NO_INDEX: '',
    UV_CACHE_DIR: cache,
    UV_DEFAULT_INDEX: index.url,
  };
  const { manager, home, envs } = await environments(undefined, online);
  const treeDir = await tree('tiny');
  const { envKey, python: interpreter } = await manager.ensure({ config: {}, treeDir });
  index.close();
  await rm(join(envs, envKey), { recursive: true });

  const dead = { HTTP_PROXY: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9', UV_HTTP_RETRIES: '0' };
  const { manager: offline } = await environments(home, { ...online, ...dead });
  expect((await offline.ensure({ config: {}, treeDir })).envKey).toBe(envKey);
  expect(await versionIn(interpreter)).toBe('1.0');
  await expect(offline.ensure({ config: {}, treeDir: await tree('other') })).rejects.toMatchObject({
    code: 'ENVIRONMENT_FAILED',
    next: 'retry',
    hint: expect.stringContaining('check the network'),
  });
}, 60_000);

it('a package without a wheel is refused with the reason, and built where the folder asks for it', async () => {
  const { manager } = await environments();
  const treeDir = await tree('unbuilt');
  await expect(manager.ensure({ config: {}, treeDir })).rejects.toMatchObject({
    message: expect.stringMatching(
      /^requirements\.txt: No solution found .*unbuilt==1\.0 has no usable wheels/,
    ),
    hint: expect.stringContaining('environment: { source_builds: true }'),
  });
  const built = await manager.ensure({ config: { sourceBuilds: true }, treeDir });
  expect((await execa(built.python, ['-c', 'import unbuilt; print(unbuilt.VERSION)'])).stdout).toBe('1.0');
});

it('a builder that is killed leaves nothing that counts, and the next one starts from nothing', async () => {
  const home = await mkdtemp(join(tmpdir(), 'elt-build-'));
  const directory = join(home, 'envs/abc');
  const tools = {
    python,
    script: join(ROOT, 'python/elt_runner/build_env.py'),
    env: { PATH: process.env.PATH ?? '' },
  };
  const build = (command: string): Promise<string | null> => {
    const stages = [{ name: 'install', commands: [['sh', '-c', command]] }];
    const job = { directory, stages, ready: { message: 'x' } };
    return buildDirectory(job, tools, () => undefined, new AbortController().signal);
  };
  expect(await build(`touch ${directory}/half; kill -9 $PPID`)).toContain('SIGKILL');
  expect(existsSync(join(directory, 'half'))).toBe(true);
  expect(await touchReady(directory)).toBeNull();
  expect(await build('exit 3')).not.toBeNull();
  expect(existsSync(directory)).toBe(false);
  expect(await build(`touch ${directory}/whole`)).toBeNull();
  expect((await readdir(directory)).toSorted()).toEqual(['.ready', 'whole']);
});

describe('the default environment and the one of Sling', () => {
  it('hold the tools', async () => {
    const tools = await testTools();
    const imports = await execa(tools.python, [
      '-c',
      'import dlt, duckdb, dagster_pipes; from dbt.version import __version__; print(dlt.__version__)',
    ]);
    expect(imports.stdout).toMatch(/^1\.31\./);
    expect((await execa(tools.sling, ['--version'])).stdout).toContain('1.4.');
  });
});

it('loads uv without pip: the pinned wheel from an index, and refuses another content', async () => {
  const home = await mkdtemp(join(tmpdir(), 'elt-uv-'));
  const pins = join(home, 'pins');
  const { stdout: name } = await execa(python, [
    '-c',
    `
import hashlib, platform, sys, zipfile
machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())
system = {"Linux": "manylinux", "Darwin": "macosx"}[platform.system()]
name = f"uv-0.0.1-py3-none-{system}_{machine}.whl"
with zipfile.ZipFile(f"{sys.argv[1]}/{name}", "w") as wheel:
    wheel.writestr("uv-0.0.1.data/scripts/uv", "#!/bin/sh\\necho uv 0.0.1\\n")
digest = hashlib.sha256(open(f"{sys.argv[1]}/{name}", "rb").read()).hexdigest()
open(sys.argv[2], "w").write(f"{digest}  {name}\\n")
print(name)`,
    home,
    pins,
  ]);
  const script = join(ROOT, 'python/elt_runner/fetch_uv.py');
  const env = { PATH: process.env.PATH, PIP_FIND_LINKS: home };
  await execa(python, ['-I', script, join(home, 'out'), pins], { env, extendEnv: false });
  expect((await execa(join(home, 'out/bin/uv'), [])).stdout).toBe('uv 0.0.1');

  await writeFile(pins, `${'0'.repeat(64)}  ${name}\n`);
  const refused = await execa(python, ['-I', script, join(home, 'other'), pins], {
    env,
    extendEnv: false,
    reject: false,
  });
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toMatch(/has sha256 [0-9a-f]{64} instead of 0{64}/);
  expect(existsSync(join(home, 'other/bin/uv'))).toBe(false);
});
