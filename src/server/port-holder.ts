import { readdir, readFile, readlink } from 'node:fs/promises';
import { z } from 'zod';

const Health = z.object({ name: z.literal('elt-gitops'), pid: z.number().int(), version: z.string() });
const LISTEN = '0A';
const PROBE_MS = 1000;

/**
 * Who holds a TCP port of this machine, in words: one of our services by its health page, else the process by Linux'
 * `/proc` as far as it may be read; `another program` where nothing more can be known.
 */
export async function portHolder(host: string, port: number): Promise<string> {
  return (await ourService(host, port)) ?? (await processOnPort(port)) ?? 'another program';
}

async function ourService(host: string, port: number): Promise<string | null> {
  const name = host.includes(':') ? `[${host}]` : host === '0.0.0.0' ? '127.0.0.1' : host;
  try {
    const signal = AbortSignal.timeout(PROBE_MS);
    const response = await fetch(`http://${name}:${port}/healthz`, { signal, redirect: 'error' });
    const health = Health.safeParse(await response.json());
    return health.success ? `another ELT service, pid ${health.data.pid}` : null;
  } catch {
    return null;
  }
}

async function processOnPort(port: number): Promise<string | null> {
  try {
    const inodes = await listeningInodes(port);
    if (inodes.size === 0) return null;
    for (const pid of await readdir('/proc')) {
      if (!/^\d+$/.test(pid) || !(await holdsOneOf(pid, inodes))) continue;
      const command = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
      return `${command}, pid ${pid}`;
    }
    return null;
  } catch {
    return null;
  }
}

async function listeningInodes(port: number): Promise<Set<string>> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(table, 'utf8').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === LISTEN && fields[1]?.endsWith(`:${hex}`) && fields[9] !== undefined)
        inodes.add(fields[9]);
    }
  }
  return inodes;
}

async function holdsOneOf(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const target = await readlink(`${folder}/${name}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}
