import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gitError } from './git-errors.ts';
import { type GitOutput, runGit } from './git-process.ts';

/** E-mail address of the commits that stand for uncommitted changes. */
export const UNCOMMITTED_EMAIL = 'uncommitted@elt.invalid';

export interface WorkingTreeOptions {
  /** The mirror, which gets the objects; the working copy's own repository is read and never written. */
  readonly gitDir: string;
  /** Root of the working copy. */
  readonly workDir: string;
  /** Only what lies here is looked at, the rest counts as committed; '' is the whole of it. */
  readonly paths: readonly string[];
  /** `localGitEnvironment` of the mirror. */
  readonly env: Readonly<Record<string, string>>;
}

export interface WorkingTree {
  /** Branch that is checked out; null: none (a detached head), or it is no working copy. */
  branch(): Promise<string | null>;
  /**
   * The commit that stands for the working copy as it is now on top of `head`, whose objects the mirror has: `head` itself
   * when nothing differs. Equal content gives an equal commit. What `.gitignore` names is left out.
   */
  capture(head: string): Promise<string>;
}

const DEADLINE_MS = 60_000;

/** A working copy of a developer, served before it is committed (`elt dev` on a local repository). */
export function openWorkingTree(options: WorkingTreeOptions): WorkingTree {
  const { gitDir, workDir, env } = options;
  const index = `${gitDir}.index`;
  const indexOf = `${gitDir}.index-of`;

  async function git(
    args: readonly string[],
    extra: Readonly<Record<string, string>> = {},
  ): Promise<GitOutput> {
    return runGit({
      args,
      env: { ...env, GIT_INDEX_FILE: index, ...extra },
      deadlineMs: DEADLINE_MS,
      action: `read the working copy ${workDir}`,
    });
  }

  async function need(
    args: readonly string[],
    extra: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const output = await git([`--git-dir=${gitDir}`, `--work-tree=${workDir}`, ...CONFIG, ...args], extra);
    if (output.exitCode === 0) return output.stdout.toString('utf8').trim();
    throw gitError(output.stderr, {
      action: `read the working copy ${workDir}`,
      host: null,
      hasToken: false,
      redact: (text) => text,
    });
  }

  /** Files that the index has from an older commit would stay as they were there. */
  async function startFrom(head: string): Promise<void> {
    const known = await readFile(indexOf, 'utf8').catch(() => '');
    if (known === head && existsSync(index)) return;
    await rm(indexOf, { force: true });
    await need(['read-tree', head]);
    await writeFile(indexOf, head);
  }

  async function treeOf(head: string): Promise<string> {
    await startFrom(head);
    const present = [];
    for (const name of options.paths) {
      if (
        name === '' ||
        existsSync(path.join(workDir, name)) ||
        (await need(['ls-files', '--', name])) !== ''
      )
        present.push(name === '' ? '.' : name);
    }
    if (present.length > 0) await need(['add', '--all', '--', ...present]);
    return need(['write-tree']);
  }

  return {
    async branch() {
      const output = await git(['-C', workDir, 'symbolic-ref', '--quiet', 'HEAD']);
      const name = /^refs\/heads\/(.+)$/.exec(output.stdout.toString('utf8').trim())?.[1];
      return output.exitCode === 0 && name !== undefined ? name : null;
    },
    async capture(head) {
      let tree: string;
      try {
        tree = await treeOf(head);
      } catch {
        // Killed while the index was written, or the mirror was cloned again under it: from the start.
        await rm(`${index}.lock`, { force: true });
        await rm(indexOf, { force: true });
        tree = await treeOf(head);
      }
      if (tree === (await need(['rev-parse', '--verify', `${head}^{tree}`]))) return head;
      const at = await need(['log', '-1', '--format=%ct', head]);
      const date = `${at} +0000`;
      return need(['commit-tree', tree, '-p', head, '-m', 'Uncommitted changes'], {
        GIT_AUTHOR_NAME: 'working copy',
        GIT_AUTHOR_EMAIL: UNCOMMITTED_EMAIL,
        GIT_COMMITTER_NAME: 'working copy',
        GIT_COMMITTER_EMAIL: UNCOMMITTED_EMAIL,
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_DATE: date,
      });
    },
  };
}

/** The mirror is bare and its files are nobody's to convert: what lies in the working copy is taken byte by byte. */
const CONFIG = ['-c', 'core.bare=false', '-c', 'core.autocrlf=false', '-c', 'core.safecrlf=false'];
