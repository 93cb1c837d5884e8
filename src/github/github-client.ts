import { readFile } from 'node:fs/promises';
import type { Octokit } from '@octokit/core';
import type { OctokitOptions } from '@octokit/core/types';
import { OperationalError } from '../lib/errors.ts';

export interface GithubAccess {
  /** `https://api.github.com` */
  readonly apiUrl: string;
  /** Asked at each call, so that a rotated token works without restart. */
  readonly token: () => string | null | Promise<string | null>;
  readonly now: () => number;
}

const DEADLINE_MS = 20_000;
/** GitHub asks for at least a minute after a secondary limit that names no time. */
const SECONDARY_LIMIT_MS = 60_000;

/**
 * One call of the API. Its errors are values of the catalogue, without anything of the request in them.
 * Throws `GITHUB_UNAVAILABLE` or `GITHUB_REFUSED`.
 */
export async function callGithub<T>(
  { apiUrl, token, now }: GithubAccess,
  action: string,
  call: (octokit: Octokit) => Promise<T>,
): Promise<T> {
  const auth = await token();
  if (auth === null) {
    throw new OperationalError('GITHUB_REFUSED', `cannot ${action}: there is no token`, {
      hint: 'set GITHUB_TOKEN, or github_app in defs.yaml',
    });
  }
  // Imported when GitHub is first talked to: most services never do.
  const { Octokit } = await import('@octokit/core');
  const octokit = new Octokit({ auth, ...optionsOf(apiUrl) });
  try {
    return await call(octokit);
  } catch (error) {
    throw errorOf(error, action, now());
  }
}

/** The token of an installation of a GitHub App, made anew before it expires; the key file is read at each making. */
export function installationToken(app: {
  readonly appId: string;
  readonly installationId: number;
  readonly privateKeyFile: string;
  readonly apiUrl: string;
  readonly now: () => number;
}): () => Promise<string> {
  let made: { readonly token: string; readonly until: number } | null = null;
  return async () => {
    if (made !== null && made.until > app.now()) return made.token;
    const [{ createAppAuth }, { Octokit }] = await Promise.all([
      import('@octokit/auth-app'),
      import('@octokit/core'),
    ]);
    try {
      const privateKey = await readFile(app.privateKeyFile, 'utf8');
      const { request } = new Octokit(optionsOf(app.apiUrl));
      const auth = createAppAuth({ appId: app.appId, privateKey, request });
      const { token, expiresAt } = await auth({ type: 'installation', installationId: app.installationId });
      made = { token, until: Date.parse(expiresAt) - 5 * 60_000 };
      return token;
    } catch (error) {
      throw errorOf(error, `get a token of the GitHub App ${app.appId}`, app.now());
    }
  };
}

function optionsOf(baseUrl: string): OctokitOptions {
  return {
    baseUrl,
    userAgent: 'elt-gitops',
    request: { signal: AbortSignal.timeout(DEADLINE_MS) },
    // Its warnings would go to the console; what fails is an error of ours.
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  };
}

function ignore(): void {}

function errorOf(error: unknown, action: string, now: number): OperationalError {
  if (error instanceof OperationalError) return error;
  const { status, message, response } = error as {
    status?: number;
    message?: string;
    response?: { headers?: Readonly<Record<string, string | number | undefined>> };
  };
  const reason = (message ?? String(error)).split('\n')[0] ?? '';
  const headers = response?.headers ?? {};
  const retryAt = limitEnd(status, headers, reason, now);
  if (retryAt !== null) {
    return new OperationalError('GITHUB_UNAVAILABLE', `cannot ${action}: the rate limit is used up`, {
      next: 'retry_at',
      retryAt,
    });
  }
  if (status === undefined || status >= 500 || status === 408 || status === 401) {
    // 401 too: a token that expired in mid-call, or a key that is being rotated.
    const answer = status === undefined || status === 500 ? reason : `${status} ${reason}`;
    return new OperationalError('GITHUB_UNAVAILABLE', `cannot ${action}: ${answer}`, { next: 'retry' });
  }
  return new OperationalError('GITHUB_REFUSED', `cannot ${action}: ${status} ${reason}`, {
    hint: 'docs/github.md lists the permissions that are needed',
  });
}

/** When the host takes calls again; null: this was no limit (docs.github.com, "Rate limits for the REST API"). */
function limitEnd(
  status: number | undefined,
  headers: Readonly<Record<string, string | number | undefined>>,
  reason: string,
  now: number,
): number | null {
  if (status !== 403 && status !== 429) return null;
  const seconds = Number(headers['retry-after']);
  if (headers['retry-after'] !== undefined && Number.isFinite(seconds))
    return now + Math.max(1, seconds) * 1000;
  if (String(headers['x-ratelimit-remaining']) === '0') {
    const reset = Number(headers['x-ratelimit-reset']) * 1000;
    return Math.max(now + 1000, Number.isFinite(reset) ? reset : now + SECONDARY_LIMIT_MS);
  }
  return status === 429 || /rate limit/i.test(reason) ? now + SECONDARY_LIMIT_MS : null;
}
