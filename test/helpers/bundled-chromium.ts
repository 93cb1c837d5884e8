import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Chromium, NoChromium } from './chromium.ts';

const run = promisify(execFile);

const version = '153.0.0';
const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, 'node_modules/.cache/chromium');
const folder = join(cache, version);
/** Written last: where the unpacked browser lies and which variables it needs. */
const result = join(folder, 'chromium.json');

/**
 * The Chromium inside the npm package @sparticuz/chromium: for machines without one. It is not in the lockfile
 * (66 MB, unpacked 200 more), so it is installed when first asked for, once, under a lock.
 */
export async function bundledChromium(): Promise<Chromium | NoChromium> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { skip: 'no Chromium found: install one or set CHROMIUM_PATH' };
  }
  const ready = await readResult();
  if (ready !== undefined) return ready;
  await mkdir(cache, { recursive: true });
  const locked = [
    join(root, 'scripts/with-lock.py'),
    join(cache, 'lock'),
    'waiting for another process to install Chromium',
    process.execPath,
    fileURLToPath(import.meta.url),
  ];
  try {
    await run('python3', locked, { timeout: 170_000 });
  } catch (error) {
    return { skip: `no Chromium found, and its npm package does not work here: ${lastLine(error)}` };
  }
  return (await readResult()) ?? { skip: 'the Chromium of the npm package left no result' };
}

async function readResult(): Promise<Chromium | undefined> {
  if (!existsSync(result)) return undefined;
  const chromium = JSON.parse(await readFile(result, 'utf8')) as Chromium;
  // The paths are absolute: a moved checkout installs anew.
  return existsSync(chromium.executablePath) ? chromium : undefined;
}

async function install(): Promise<void> {
  if ((await readResult()) !== undefined) return;
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'tmp'), { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  const npm = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', [...npm, '--prefix', folder, `@sparticuz/chromium@${version}`], { cwd: folder });
  const chromium = await unpack();
  await run(chromium.executablePath, ['--version'], { env: { ...process.env, ...chromium.env } });
  await writeFile(`${result}.new`, JSON.stringify(chromium));
  await rename(`${result}.new`, result);
}

/** The package unpacks under fixed names into the temporary folder and changes process.env: this process is its own. */
async function unpack(): Promise<Chromium> {
  process.env['TMPDIR'] = join(folder, 'tmp');
  // Makes it unpack its own libnss3 and libnspr4, which a bare system lacks. Must be set before the import.
  process.env['AWS_LAMBDA_JS_RUNTIME'] = 'nodejs22.x';
  const entry = createRequire(join(folder, 'package.json')).resolve('@sparticuz/chromium');
  const imported = (await import(pathToFileURL(entry).href)) as {
    default: { executablePath(): Promise<string> };
  };
  const executablePath = await imported.default.executablePath();
  const { LD_LIBRARY_PATH = '', FONTCONFIG_PATH = '' } = process.env;
  return { executablePath, env: { LD_LIBRARY_PATH, FONTCONFIG_PATH } };
}

function lastLine(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  return stderr.trim().split('\n').at(-1) ?? '';
}

if (import.meta.main) await install();
