import { createHash } from 'node:crypto';
import path from 'node:path';
import { isLoopback } from '../lib/loopback.ts';

/** A repository address that git may be given. */
export interface RemoteUrl {
  readonly kind: 'https' | 'http' | 'ssh' | 'local';
  /** As git gets it; it never holds a password or token. */
  readonly url: string;
  /** `host` or `host:port`; null for a local path. */
  readonly host: string | null;
  /** Path on the host without leading and trailing slash and `.git`; the absolute path if local. */
  readonly path: string;
}

export type RemoteUrlResult =
  | { readonly ok: RemoteUrl }
  | { readonly refused: string; readonly hint: string };

const FORMS = 'use https://host/owner/repository, ssh://git@host/path, git@host:path or a local path';
const TOKEN_HINT =
  'take user name and password out of the address and set GITHUB_TOKEN (in the environment or .env)';
const CONTROL = /[\p{Cc} ]/u;
const REMOTE_HELPER = /^[A-Za-z0-9+.-]+::/;
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//;
const SCP = /^(?:([\w.-]+)@)?([\w.-]+):(?!\/\/)(.+)$/;

/**
 * Reads a repository address against the allow-list, before git sees it.
 * @param options.local true only for what the operator wrote (flag, environment, `.env`, defs.yaml): local paths and
 *   `file://` are refused from anything that a remote can supply
 * @param options.base directory that a relative local path starts from
 */
export function parseRemoteUrl(text: string, options: { local: boolean; base?: string }): RemoteUrlResult {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (text === '') return { refused: 'the repository address is empty', hint: FORMS };
  if (text.startsWith('-')) return { refused: 'a repository address cannot begin with "-"', hint: FORMS };
  if (REMOTE_HELPER.test(text)) return { refused: 'remote helpers ("name::…") are not allowed', hint: FORMS };
  if (scheme === 'file') return localPath(text.slice('file://'.length), text, options);
  if (scheme !== undefined) return withScheme(scheme, text);
  const scp = SCP.exec(text);
  if (scp !== null) return scpLike(text, scp[2]!, scp[3]!);
  // Git itself would take it for host:path.
  if (/^[^/]*:/.test(text)) return { refused: 'the repository address cannot be read', hint: FORMS };
  return localPath(text, text, options);
}

function withScheme(scheme: string, text: string): RemoteUrlResult {
  if (scheme !== 'https' && scheme !== 'http' && scheme !== 'ssh') {
    return { refused: `the scheme "${scheme}://" is not allowed`, hint: FORMS };
  }
  if (CONTROL.test(text))
    return { refused: 'the repository address holds a blank or control character', hint: FORMS };
  const url = URL.parse(text);
  if (url === null || url.hostname === '')
    return { refused: 'the repository address cannot be read', hint: FORMS };
  if (url.password !== '' || (url.username !== '' && scheme !== 'ssh')) {
    return { refused: 'the repository address holds a user name or password', hint: TOKEN_HINT };
  }
  if (url.search !== '' || url.hash !== '') {
    return { refused: 'the repository address holds "?" or "#"', hint: FORMS };
  }
  if (scheme === 'http' && !isLoopback(url.hostname)) {
    return { refused: 'plain http:// would send code and token readable', hint: 'use https://' };
  }
  if (url.hostname.startsWith('-') || url.username.startsWith('-')) {
    return { refused: 'a host or user name cannot begin with "-"', hint: FORMS };
  }
  const name = repositoryPath(url.pathname);
  if (name === '') return { refused: 'the repository address has no path', hint: FORMS };
  return {
    ok: { kind: scheme, url: `${scheme}${text.slice(text.indexOf(':'))}`, host: url.host, path: name },
  };
}

function scpLike(text: string, host: string, name: string): RemoteUrlResult {
  if (CONTROL.test(text))
    return { refused: 'the repository address holds a blank or control character', hint: FORMS };
  if (host.startsWith('-') || name.startsWith('-')) {
    return { refused: 'a host or path cannot begin with "-"', hint: FORMS };
  }
  return { ok: { kind: 'ssh', url: text, host: host.toLowerCase(), path: repositoryPath(name) } };
}

function localPath(name: string, text: string, options: { local: boolean; base?: string }): RemoteUrlResult {
  if (!options.local) {
    return { refused: 'a local path is accepted from the operator only', hint: 'set it as ELT_REPO_URL' };
  }
  if (name.includes('\0') || name.includes('\n'))
    return { refused: 'the path holds a control character', hint: FORMS };
  if (text !== name && !name.startsWith('/')) {
    return { refused: 'a file:// address needs an absolute path', hint: 'write file:///path/to/repository' };
  }
  const absolute = path.resolve(options.base ?? '/', text === name ? name : decodeURIComponent(name));
  return { ok: { kind: 'local', url: absolute, host: null, path: absolute } };
}

function repositoryPath(text: string): string {
  return text.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '');
}

/** Whether two addresses mean one repository: `git@github.com:o/r.git` and `https://github.com/O/r` do. */
export function sameRepository(a: RemoteUrl, b: RemoteUrl): boolean {
  if (a.kind === 'local' || b.kind === 'local') return a.kind === b.kind && a.path === b.path;
  return hostName(a) === hostName(b) && a.path.toLowerCase() === b.path.toLowerCase();
}

function hostName(remote: RemoteUrl): string {
  return (remote.host ?? '').toLowerCase();
}

/** Address of a file's page on the host at a commit; null for a local repository. */
export function webLink(remote: RemoteUrl, commit: string, file: string, line?: number): string | null {
  if (remote.host === null) return null;
  const host = remote.kind === 'ssh' ? remote.host.replace(/:\d+$/, '') : remote.host;
  const scheme = remote.kind === 'http' ? 'http' : 'https';
  const blob = host.includes('gitlab') ? '-/blob' : 'blob';
  const encoded = file.split('/').map(encodeURIComponent).join('/');
  return `${scheme}://${host}/${remote.path}/${blob}/${commit}/${encoded}${line === undefined ? '' : `#L${line}`}`;
}

/** Whether git accepts this as a branch or tag name (git-check-ref-format(1)) and it cannot be taken for an option. */
export function isRefName(name: string): boolean {
  if (name === '' || name.length > 255 || CONTROL.test(name)) return false;
  if (/^[-/.]|[~^:?*[\\]|\.\.|\/\/|\/\.|@\{|\.lock(\/|$)|[/.]$/.test(name)) return false;
  return name !== '@';
}

/** What state and page may call a remote: never a path of this machine, never what stands before an `@`. */
export function portableName(remote: RemoteUrl): string {
  if (remote.kind !== 'local') return remote.url;
  const mark = createHash('sha256').update(remote.path).digest('hex').slice(0, 8);
  return `local:${path.basename(remote.path)}~${mark}`;
}

/** An address that was refused, fit to be shown: without user name, password and query. */
export function redactedUrl(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//***@').replace(/[?#].*$/s, '');
}
