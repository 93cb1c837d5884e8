import type { HostedRepository } from './git-host.ts';

/** `owner/name` of a repository's path on its host; null when it has none. */
export function hostedRepository(path: string): HostedRepository | null {
  const parts = path.split('/').filter((part) => part !== '');
  const [owner, name] = [parts.at(-2), parts.at(-1)];
  return owner === undefined || name === undefined ? null : { owner, name };
}
