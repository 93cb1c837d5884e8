import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT, TEST_CACHE } from '../test/helpers/service.ts';

export interface ServiceProcess {
  readonly url: string;
  /** From the command to the first 200 of `/healthz`. */
  readonly seconds: number;
  /** Resident memory now, MiB: `VmRSS`, so pages of the Node program that processes share are in it. */
  memory(): number;
  /** The most it ever had, MiB: `VmHWM`. */
  peakMemory(): number;
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  stop(): Promise<void>;
}

/**
 * `./elt-dev` as a user starts it, on any free port.
 * @param onLog gets what it logs, line by line; absent: its errors are shown
 */
export async function startServiceProcess(
  home: string,
  env: Readonly<Record<string, string>> = {},
  onLog?: (line: string) => void,
): Promise<ServiceProcess> {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('ELT_'));
  const begun = performance.now();
  const child = spawn(join(ROOT, 'elt-dev'), ['0', '--json'], {
    cwd: home,
    env: {
      ...Object.fromEntries(kept),
      ELT_HOME: home,
      ELT_CACHE_DIR: TEST_CACHE,
      ELT_LOG_LEVEL: onLog === undefined ? 'error' : 'info',
      ...env,
    },
    stdio: ['ignore', 'pipe', onLog === undefined ? 'inherit' : 'pipe'],
  });
  if (onLog !== undefined) createInterface({ input: child.stderr! }).on('line', onLog);
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /"url":"([^"]+)"/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`the service ended with ${code}: ${text}`)));
  });
  const health = await fetch(`${url}/healthz`);
  if (health.status !== 200) throw new Error(`/healthz answers ${health.status}`);
  await health.body?.cancel();
  const seconds = (performance.now() - begun) / 1000;
  return {
    url,
    seconds,
    memory: () => mebibytes(child.pid!, 'VmRSS'),
    peakMemory: () => mebibytes(child.pid!, 'VmHWM'),
    async get<T>(path: string) {
      const response = await fetch(new URL(path, url));
      if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
      return (await response.json()) as T;
    },
    async post<T>(path: string, body: unknown) {
      const response = await fetch(new URL(path, url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as T;
    },
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function mebibytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)![1]) / 1024;
}
