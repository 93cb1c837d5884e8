import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** What a running service leaves for the CLI; mode 0600, since it holds the token. */
const ServiceFile = z.object({
  url: z.url(),
  pid: z.number().int().positive(),
  started_at: z.iso.datetime(),
  token: z.string().nullable(),
  version: z.string(),
});
export type ServiceFile = z.infer<typeof ServiceFile>;

/** Whole or not at all, and never readable by others, not even for a moment. */
export async function writeServiceFile(home: string, service: ServiceFile): Promise<void> {
  const path = pathOf(home);
  const temporary = `${path}.${service.pid}`;
  await writeFile(temporary, `${JSON.stringify(service, null, 2)}\n`, { mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}

/** Null: no service left one here, or it cannot be read as one. Says nothing about whether that service still lives. */
export async function readServiceFile(home: string): Promise<ServiceFile | null> {
  try {
    const parsed = ServiceFile.safeParse(JSON.parse(await readFile(pathOf(home), 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Removes the file if it is that of `pid`: a service that starts while another one ends keeps its own. */
export async function removeServiceFile(home: string, pid: number): Promise<void> {
  const found = await readServiceFile(home);
  if (found?.pid === pid) await rm(pathOf(home), { force: true });
}

function pathOf(home: string): string {
  return join(home, 'service.json');
}
