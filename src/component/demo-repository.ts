import { existsSync } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { localGitEnvironment } from '../git/git-environment.ts';
import { gitError } from '../git/git-errors.ts';
import { runGit } from '../git/git-process.ts';
import { asDiskError } from '../lib/disk-error.ts';

export interface DemoRepository {
  /** `ELT_HOME/demo.git`: what the component serves. */
  readonly bare: string;
  /** `ELT_HOME/demo`: a working clone to edit, with a user name and e-mail of its own. */
  readonly work: string;
  readonly created: boolean;
}

/**
 * Makes the demo's two repositories from `fixtures/repo`, once: what a user pushed to them stays. Each appears by one
 * rename, so a start that was killed leaves none or a whole one.
 */
export async function ensureDemoRepository(options: {
  readonly home: string;
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): Promise<DemoRepository> {
  const { home, root, environment } = options;
  const demo = { bare: path.join(home, 'demo.git'), work: path.join(home, 'demo') };
  const env = { ...localGitEnvironment(environment, '/dev/null'), GIT_ALLOW_PROTOCOL: 'file' };
  async function git(cwd: string, ...args: string[]): Promise<void> {
    const output = await runGit({
      args: ['-C', cwd, ...args],
      env,
      deadlineMs: 60_000,
      action: 'make the demo repository',
    });
    if (output.exitCode !== 0) {
      const context = {
        action: 'make the demo repository',
        host: null,
        hasToken: false,
        redact: (text: string) => text,
      };
      throw gitError(output.stderr, context);
    }
  }

  if (existsSync(demo.bare) && existsSync(demo.work)) return { ...demo, created: false };
  // One name: what a killed start left is removed here.
  const temporary = path.join(home, '.demo-new');
  try {
    await rm(temporary, { recursive: true, force: true });
    const [bare, work] = [path.join(temporary, 'demo.git'), path.join(temporary, 'demo')];
    await mkdir(temporary, { recursive: true });
    if (!existsSync(demo.bare)) {
      await cp(path.join(root, 'fixtures', 'repo'), work, { recursive: true });
      await git(temporary, 'init', '--quiet', '--initial-branch=main', work);
      await identify(work, git);
      await git(work, 'add', '--all', '--force');
      await git(work, 'commit', '--quiet', '--message=A shop: pipelines in dlt, Sling, dbt and Python');
      await git(temporary, 'clone', '--quiet', '--bare', work, bare);
      await rename(bare, demo.bare);
      await rm(work, { recursive: true });
    }
    if (!existsSync(demo.work)) {
      await git(temporary, 'clone', '--quiet', demo.bare, work);
      await identify(work, git);
      await rename(work, demo.work);
    }
  } catch (error) {
    throw asDiskError(error, 'make the demo repository');
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return { ...demo, created: true };
}

async function identify(work: string, git: (cwd: string, ...args: string[]) => Promise<void>): Promise<void> {
  await git(work, 'config', 'user.name', 'Demo');
  await git(work, 'config', 'user.email', 'demo@example.com');
}
