import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { bundledChromium } from './bundled-chromium.ts';

const run = promisify(execFile);

/** For playwright-core's `chromium.launch`, with `--no-sandbox` in its args: root cannot have a sandbox. */
export interface Chromium {
  readonly executablePath: string;
  /** To be merged over process.env: launch's `env` replaces it. */
  readonly env: Readonly<Record<string, string>>;
}

/** Why there is no browser: to be handed to `ctx.skip`. */
export interface NoChromium {
  readonly skip: string;
}

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const macApplications = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

let found: Promise<Chromium | NoChromium> | undefined;

/**
 * A Chromium that starts: CHROMIUM_PATH, else the machine's, else one installed from a package into
 * node_modules/.cache (Linux x64 only). Searches once per process.
 */
export function findChromium(): Promise<Chromium | NoChromium> {
  found ??= search();
  return found;
}

async function search(): Promise<Chromium | NoChromium> {
  const chosen = process.env['CHROMIUM_PATH'];
  if (chosen !== undefined && chosen !== '') {
    if (await starts(chosen)) return { executablePath: chosen, env: {} };
    return { skip: `CHROMIUM_PATH=${chosen} does not start` };
  }
  for (const candidate of installed()) {
    if (await starts(candidate)) return { executablePath: candidate, env: {} };
  }
  return bundledChromium();
}

function installed(): string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const onPath = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...onPath, ...(process.platform === 'darwin' ? macApplications : [])].filter((file) =>
    existsSync(file),
  );
}

/** Asked, because a file of that name may be a stub (Ubuntu's only says how to install the snap). */
async function starts(executable: string): Promise<boolean> {
  try {
    await run(executable, ['--version'], { timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}
