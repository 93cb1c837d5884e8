import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

const toolChain = [
  'elt',
  'elt-dev',
  'bin',
  'scripts',
  'package.json',
  'package-lock.json',
  '.npmrc',
  'ui/package.json',
];

/** Answers with what it was given, so that a test sees what the launcher did and not what the CLI thinks of it. */
const echoCli = `export async function main(argv: string[]): Promise<number> {
  console.log(JSON.stringify({ argv, node: process.versions.node, exe: process.execPath }));
  return argv.includes('fail') ? 7 : 0;
}
`;

/**
 * A checkout without node_modules, of the tool chain only, with a CLI that echoes its arguments. Its path has
 * spaces in it.
 */
export async function freshCheckout(): Promise<{ root: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'elt set-up '));
  const root = join(folder, 'a checkout');
  for (const path of toolChain) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await cp(join(repository, path), join(root, path), { recursive: true });
  }
  await mkdir(join(root, 'src/cli'), { recursive: true });
  await writeFile(join(root, 'src/cli/cli.ts'), echoCli);
  return { root, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** The same, set up already: it shares this repository's packages. `npm` would destroy them, so it only fails here. */
export async function installedCheckout(): Promise<{
  root: string;
  env: { PATH: string };
  remove: () => Promise<void>;
}> {
  const { root, remove } = await freshCheckout();
  await symlink(join(repository, 'node_modules'), join(root, 'node_modules'));
  return { root, env: await withCommand(root, 'npm', 'echo "npm $*" >&2; exit 99'), remove };
}

/** An environment whose PATH begins with a folder that holds this one command. */
export async function withCommand(root: string, name: string, script: string): Promise<{ PATH: string }> {
  const folder = join(root, `../bin-${name}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, name), 0o755);
  return { PATH: `${folder}:${plainEnvironment()['PATH']}` };
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever its exit code. */
export async function run(
  file: string,
  args: readonly string[] = [],
  options: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): Promise<Outcome> {
  const child = spawn(file, args, {
    cwd: options.cwd ?? '/',
    env: { ...plainEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

/** What a user's terminal has: not our npm's variables, and not the packaged Node first on PATH. */
export function plainEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|VITEST|NODE_ENV$|INIT_CWD$)/.test(name),
  );
  const path = (process.env['PATH'] ?? '').split(':').filter((folder) => !folder.includes('node_modules'));
  return { ...(Object.fromEntries(kept) as Record<string, string>), PATH: path.join(':') };
}
