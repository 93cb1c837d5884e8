import type { CheckRun, GitHost, HostedRepository } from './git-host.ts';
import { callGithub, type GithubAccess } from './github-client.ts';

/** GitHub takes so many annotations in one call (docs.github.com, "Create a check run"). */
const ANNOTATIONS_A_CALL = 50;
const MOST_ANNOTATIONS = 500;
const LONGEST_DESCRIPTION = 140;
const LONGEST_BODY = 60_000;

/** GitHub, or a GitHub Enterprise server, by its REST API. */
export function createGithubHost(access: GithubAccess & { readonly hasChecks: boolean }): GitHost {
  return {
    hasChecks: access.hasChecks,

    async setCommitStatus({ repository, sha, state, context, description, targetUrl }) {
      await callGithub(access, `set the status of ${sha.slice(0, 12)}`, (octokit) =>
        octokit.request('POST /repos/{owner}/{repo}/statuses/{sha}', {
          ...names(repository),
          sha,
          state,
          context,
          description: cut(description, LONGEST_DESCRIPTION),
          ...(targetUrl === null ? {} : { target_url: targetUrl }),
        }),
      );
    },

    async putCheckRun(check) {
      const { repository, sha, name } = check;
      await callGithub(access, `put a check on ${sha.slice(0, 12)}`, async (octokit) => {
        const found = await octokit.request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
          ...names(repository),
          ref: sha,
          check_name: name,
          filter: 'latest',
        });
        const annotations = annotationsOf(check);
        const body = { ...names(repository), name, ...verdict(check), ...link(check) };
        const first = { output: outputOf(check, annotations.slice(0, ANNOTATIONS_A_CALL)) };
        const known = found.data.check_runs[0]?.id;
        // GitHub only ever adds annotations to a run: what was mended would stay on it.
        const isFresh = known === undefined || found.data.check_runs[0]?.status === 'completed';
        const { data } = isFresh
          ? await octokit.request('POST /repos/{owner}/{repo}/check-runs', {
              ...body,
              ...first,
              head_sha: sha,
            })
          : await octokit.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
              ...body,
              ...first,
              check_run_id: known,
            });
        for (let from = ANNOTATIONS_A_CALL; from < annotations.length; from += ANNOTATIONS_A_CALL) {
          await octokit.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
            ...names(repository),
            check_run_id: data.id,
            output: outputOf(check, annotations.slice(from, from + ANNOTATIONS_A_CALL)),
          });
        }
      });
    },

    async putComment({ repository, number, marker, body }) {
      const text = `<!-- ${marker} -->\n${cut(body, LONGEST_BODY)}`;
      await callGithub(access, `comment on pull request ${number}`, async (octokit) => {
        for (let page = 1; ; page += 1) {
          const { data } = await octokit.request('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
            ...names(repository),
            issue_number: number,
            per_page: 100,
            page,
          });
          const ours = data.find((comment) => comment.body?.startsWith(`<!-- ${marker} -->`) === true);
          if (ours !== undefined) {
            if (ours.body === text) return;
            await octokit.request('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', {
              ...names(repository),
              comment_id: ours.id,
              body: text,
            });
            return;
          }
          if (data.length < 100) break;
        }
        await octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
          ...names(repository),
          issue_number: number,
          body: text,
        });
      });
    },
  };
}

function names({ owner, name }: HostedRepository): { owner: string; repo: string } {
  return { owner, repo: name };
}

type Verdict =
  | { readonly status: 'in_progress' }
  | { readonly status: 'completed'; readonly conclusion: 'success' | 'failure' };

function verdict({ state }: CheckRun): Verdict {
  if (state === 'pending') return { status: 'in_progress' };
  return { status: 'completed', conclusion: state === 'success' ? 'success' : 'failure' };
}

function link({ targetUrl }: CheckRun): { details_url?: string } {
  return targetUrl === null ? {} : { details_url: targetUrl };
}

interface Annotation {
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly annotation_level: 'failure' | 'warning' | 'notice';
  readonly title: string;
  readonly message: string;
}

function annotationsOf({ annotations }: CheckRun): Annotation[] {
  return annotations
    .filter(({ file }) => file !== '')
    .slice(0, MOST_ANNOTATIONS)
    .map(({ file, line, severity, code, message, hint }) => ({
      path: file,
      start_line: Math.max(1, line),
      end_line: Math.max(1, line),
      annotation_level: severity === 'error' ? 'failure' : severity === 'warning' ? 'warning' : 'notice',
      title: code,
      message: hint === undefined ? message : `${message}\n${hint}`,
    }));
}

function outputOf({ title, summary }: CheckRun, annotations: readonly Annotation[]) {
  return { title, summary: cut(summary, LONGEST_BODY), annotations: [...annotations] };
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
