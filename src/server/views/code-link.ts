export interface CodePlace {
  readonly commit: string;
  /** File or folder in the repository; absent: the commit itself. */
  readonly path?: string;
  readonly kind?: 'file' | 'folder';
  readonly line?: number;
}

type Forge = 'github' | 'gitlab' | 'bitbucket';

const HOSTS: readonly (readonly [RegExp, Forge])[] = [
  [/^(?:www\.)?github\./, 'github'],
  [/^gitlab\./, 'gitlab'],
  [/^bitbucket\.org$/, 'bitbucket'],
];

/**
 * Link to a commit, folder or line at the Git host, by the repository's address (https, ssh or `git@host:path`). Always
 * by commit, so that it still shows the same when the branch moves on (defect A10 of the Python original). Null for
 * local paths and hosts whose forms are not known.
 */
export function codeLink(repoUrl: string, place: CodePlace): string | null {
  const repo = parseRepo(repoUrl);
  if (repo === null || !/^[0-9a-f]{7,64}$/.test(place.commit)) return null;
  const base = `https://${repo.host}/${repo.path.split('/').map(encodeURIComponent).join('/')}`;
  const path = (place.path ?? '').split('/').filter(Boolean).map(encodeURIComponent).join('/');
  const isFile = path !== '' && place.kind !== 'folder';
  const line = isFile && place.line !== undefined && place.line > 0 ? place.line : null;
  switch (repo.forge) {
    case 'github': {
      if (path === '') return `${base}/commit/${place.commit}`;
      return `${base}/${isFile ? 'blob' : 'tree'}/${place.commit}/${path}${line === null ? '' : `#L${line}`}`;
    }
    case 'gitlab': {
      if (path === '') return `${base}/-/commit/${place.commit}`;
      return `${base}/-/${isFile ? 'blob' : 'tree'}/${place.commit}/${path}${line === null ? '' : `#L${line}`}`;
    }
    case 'bitbucket': {
      if (path === '') return `${base}/commits/${place.commit}`;
      return `${base}/src/${place.commit}/${path}${line === null ? '' : `#lines-${line}`}`;
    }
  }
}

/** The address without user name and password. */
export function withoutCredentials(repoUrl: string): string {
  return repoUrl.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@\s]*@/i, (_match, scheme: string) =>
    scheme.toLowerCase() === 'ssh://' ? `${scheme}git@` : scheme,
  );
}

function parseRepo(repoUrl: string): { host: string; path: string; forge: Forge } | null {
  const scp = /^[\w.-]+@([\w.-]+):(?!\/\/)(.+)$/.exec(repoUrl);
  const url = scp === null ? URL.parse(repoUrl) : null;
  if (scp === null && (url === null || !['https:', 'http:', 'ssh:'].includes(url.protocol))) return null;
  const host = (scp?.[1] ?? url?.hostname ?? '').toLowerCase();
  const forge = HOSTS.find(([pattern]) => pattern.test(host))?.[1];
  const path = decode(scp?.[2] ?? url?.pathname ?? '')
    .replace(/^\/+|\/+$/g, '')
    .replace(/\.git$/, '');
  if (forge === undefined || path.split('/').length < 2) return null;
  return { host, path, forge };
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
