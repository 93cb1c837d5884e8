import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { OperationalError } from '../lib/errors.ts';
import type { GitAccess } from './git-environment.ts';
import type { RemoteUrl } from './remote-url.ts';

/** Beside the mirror, so that a fresh clone does not forget it. */
export function bindingFile(dir: string): string {
  return `${dir}.token.json`;
}

/**
 * A token belongs to the host that it was first used for. When only the address changes, the old host's token is not
 * offered to the new host (G11). Only a fingerprint is stored.
 */
export async function boundToken(
  access: GitAccess,
  file: string,
): Promise<{ token: string | null; withheld: string | null }> {
  const { token, remote } = access;
  if (token === null || remote.host === null || remote.kind === 'ssh') return { token: null, withheld: null };
  const fingerprint = createHash('sha256').update(`elt-token:${token}`).digest('hex').slice(0, 16);
  const bound = await readFile(file, 'utf8')
    .then((text) => JSON.parse(text) as { fingerprint: string; host: string })
    .catch(() => null);
  if (bound?.fingerprint === fingerprint) {
    return bound.host === remote.host ? { token, withheld: null } : { token: null, withheld: bound.host };
  }
  await writeFile(file, `${JSON.stringify({ fingerprint, host: remote.host })}\n`, { mode: 0o600 });
  return { token, withheld: null };
}

export function explainWithheld(
  error: OperationalError,
  remote: RemoteUrl,
  host: string,
  dir: string,
): OperationalError {
  return new OperationalError(error.code, error.message, {
    next: error.next,
    hint: `the token was given for ${host} and is not sent to ${remote.host}: set the token of ${remote.host} in .env, or delete ${path.basename(bindingFile(dir))} if it is valid for both`,
  });
}
