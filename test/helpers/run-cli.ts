import { spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with what came so far, after each piece of output. */
  readonly onOutput?: (sofar: CliResult, kill: (signal: NodeJS.Signals) => void) => void;
}

/** The real `elt`, with nothing of this machine's settings. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(ELT_|GITHUB_TOKEN|NO_COLOR|FORCE_COLOR)/.test(name),
  );
  const child = spawn(process.execPath, [join(ROOT, 'bin/elt.js'), ...args], {
    cwd: options.cwd ?? ROOT,
    env: { ...Object.fromEntries(inherited), NODE_NO_WARNINGS: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const told = (): void => options.onOutput?.({ code: null, stdout, stderr }, (signal) => child.kill(signal));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    told();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    told();
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
