import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CheckRun, CommitStatus, GitHost } from '../../src/github/git-host.ts';
import { callGithub, installationToken } from '../../src/github/github-client.ts';
import { createGithubHost } from '../../src/github/github-host.ts';
import { temporaryDirectory } from '../helpers/git-repository.ts';
import { type GithubServer, startGithub } from '../helpers/github-server.ts';

const NOON = Date.UTC(2026, 0, 20, 12);
const SHA = 'a'.repeat(40);
const repository = { owner: 'acme', name: 'pipelines' };
const STATUS: CommitStatus = {
  repository,
  sha: SHA,
  state: 'failure',
  context: 'elt/shop',
  description: 'x'.repeat(500),
  targetUrl: 'https://elt.example.com/git',
};

function hostOf(server: GithubServer, more: { token?: string | null; hasChecks?: boolean } = {}): GitHost {
  return createGithubHost({
    apiUrl: server.url,
    token: () => (more.token === undefined ? 'ghp_token' : more.token),
    now: () => NOON,
    hasChecks: more.hasChecks ?? false,
  });
}

function check(more: Partial<CheckRun> = {}): CheckRun {
  const annotation = {
    file: 'a.yaml',
    line: 3,
    column: 1,
    severity: 'error',
    code: 'X',
    message: 'wrong',
  } as const;
  return {
    repository,
    sha: SHA,
    state: 'failure',
    name: 'elt/shop',
    title: 'one error',
    summary: 's',
    targetUrl: null,
    annotations: [annotation],
    ...more,
  };
}

describe('what is told', () => {
  it('sets a status on its own commit, cut to what GitHub takes', async () => {
    const server = await startGithub();
    await hostOf(server).setCommitStatus(STATUS);
    const [call] = server.calls;
    expect(call).toMatchObject({
      path: `/repos/acme/pipelines/statuses/${SHA}`,
      authorization: 'token ghp_token',
      body: { state: 'failure', context: 'elt/shop', target_url: 'https://elt.example.com/git' },
    });
    expect(String(call?.body.description)).toHaveLength(140);
  });

  it('makes a check run with annotations, goes on with it while it is open, and makes a fresh one after', async () => {
    const server = await startGithub();
    const host = hostOf(server, { hasChecks: true });
    await host.putCheckRun(check({ state: 'pending', annotations: [] }));
    await host.putCheckRun(check());
    expect([...server.checks.values()]).toMatchObject([
      {
        head_sha: SHA,
        status: 'completed',
        conclusion: 'failure',
        output: {
          annotations: [
            { path: 'a.yaml', start_line: 3, annotation_level: 'failure', title: 'X', message: 'wrong' },
          ],
        },
      },
    ]);
    await host.putCheckRun(check({ state: 'success', annotations: [] }));
    expect([...server.checks.values()].map(({ conclusion }) => conclusion)).toEqual(['failure', 'success']);
  });

  it('sends more annotations than one call takes in several', async () => {
    const server = await startGithub();
    const many = Array.from({ length: 120 }, (_, line) => ({ ...check().annotations[0]!, line: line + 1 }));
    await hostOf(server, { hasChecks: true }).putCheckRun(check({ annotations: many }));
    const [made] = server.checks.values();
    expect((made as { output: { annotations: unknown[] } }).output.annotations).toHaveLength(120);
  });

  it('keeps one comment, behind a hundred others, and leaves it alone when nothing differs', async () => {
    const server = await startGithub();
    const host = hostOf(server);
    for (let index = 0; index < 130; index += 1) server.addComment(7, 'somebody');
    const comment = { repository, number: 7, marker: 'elt-gitops plan of shop', body: 'first' };
    await host.putComment(comment);
    await host.putComment({ ...comment, body: 'second' });
    const calls = server.calls.length;
    await host.putComment({ ...comment, body: 'second' });
    expect(server.calls.slice(calls).every(({ method }) => method === 'GET')).toBe(true);
    const ours = server.comments.get(7)!.filter(({ body }) => body.includes('elt-gitops'));
    expect(ours.map(({ body }) => body)).toEqual(['<!-- elt-gitops plan of shop -->\nsecond']);
  });
});

describe('H1: what GitHub answers', () => {
  it.each<[string, number, Record<string, string>, string, object]>([
    [
      'a secondary limit',
      403,
      { 'retry-after': '30' },
      'slow down',
      { code: 'GITHUB_UNAVAILABLE', retryAt: NOON + 30_000 },
    ],
    [
      'the hourly limit',
      403,
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOON / 1000 + 600) },
      'API rate limit exceeded',
      { code: 'GITHUB_UNAVAILABLE', retryAt: NOON + 600_000 },
    ],
    ['a limit that names no time', 429, {}, '', { code: 'GITHUB_UNAVAILABLE', retryAt: NOON + 60_000 }],
    ['an outage', 502, {}, 'bad gateway', { code: 'GITHUB_UNAVAILABLE', retryAt: undefined }],
    ['an expired token', 401, {}, 'Bad credentials', { code: 'GITHUB_UNAVAILABLE' }],
    [
      'no permission',
      403,
      {},
      'Resource not accessible by personal access token',
      { code: 'GITHUB_REFUSED' },
    ],
    [
      'the cap of statuses',
      422,
      {},
      'This SHA and context has reached the maximum number of statuses.',
      { code: 'GITHUB_REFUSED' },
    ],
    ['no such repository', 404, {}, 'Not Found', { code: 'GITHUB_REFUSED' }],
  ])('%s', async (_, status, headers, message, expected) => {
    const server = await startGithub();
    server.interceptors.push(() => ({ status, headers, body: { message } }));
    await expect(hostOf(server).setCommitStatus(STATUS)).rejects.toMatchObject(expected);
  });

  it('nobody listens', async () => {
    const gone = createGithubHost({
      apiUrl: 'http://127.0.0.1:9',
      token: () => 'ghp_token_that_is_secret',
      now: () => NOON,
      hasChecks: false,
    });
    const error = await gone.setCommitStatus(STATUS).catch((failure: unknown) => failure as Error);
    expect(error).toMatchObject({ code: 'GITHUB_UNAVAILABLE' });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('ghp_token_that_is_secret');
  });

  it('there is no token', async () => {
    const server = await startGithub();
    await expect(hostOf(server, { token: null }).setCommitStatus(STATUS)).rejects.toMatchObject({
      code: 'GITHUB_REFUSED',
      hint: expect.stringContaining('GITHUB_TOKEN'),
    });
    expect(server.calls).toHaveLength(0);
  });
});

describe('H1: a GitHub App', () => {
  const pem = (): string =>
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
      type: 'pkcs1',
      format: 'pem',
    }) as string;

  it('uses one token of its installation until shortly before it expires, and reads a rotated key', async () => {
    const server = await startGithub();
    const privateKeyFile = path.join(temporaryDirectory(), 'key.pem');
    writeFileSync(privateKeyFile, pem());
    let now = Date.now();
    const token = installationToken({
      appId: '12',
      installationId: 34,
      privateKeyFile,
      apiUrl: server.url,
      now: () => now,
    });
    const first = await token();
    expect(first).toMatch(/^ghs_installation/);
    expect(await token()).toBe(first);
    expect(server.calls).toHaveLength(1);
    expect(server.calls[0]).toMatchObject({
      path: '/app/installations/34/access_tokens',
      authorization: expect.stringMatching(/^bearer ey/i),
    });
    now += 56 * 60_000;
    writeFileSync(privateKeyFile, 'this is no key');
    await expect(token()).rejects.toMatchObject({ code: 'GITHUB_UNAVAILABLE' });
    writeFileSync(privateKeyFile, pem());
    expect(await token()).not.toBe(first);
  });

  it('calls with the token of the installation', async () => {
    const server = await startGithub();
    const access = { apiUrl: server.url, token: async () => 'ghs_x', now: () => NOON };
    await callGithub(access, 'look', (octokit) =>
      octokit.request('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
        owner: 'acme',
        repo: 'pipelines',
        issue_number: 1,
      }),
    );
    expect(server.calls[0]?.authorization).toBe('token ghs_x');
  });
});
