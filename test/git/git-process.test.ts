import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type GitCommand, runGit } from '../../src/git/git-process.ts';
import { GIT_ENVIRONMENT, temporaryDirectory } from '../helpers/git-repository.ts';

describe('runGit', () => {
  let bin: string;
  beforeEach(() => {
    bin = temporaryDirectory();
  });

  /** A command that meets this script instead of git. */
  function scripted(script: string, more: Partial<GitCommand> = {}): GitCommand {
    writeFileSync(path.join(bin, 'git'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const env = { PATH: `${bin}:${process.env['PATH']}` };
    return { args: [], env, deadlineMs: 20_000, action: 'try', ...more };
  }

  const isAlive = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      // A zombie that init has not fetched yet is no process any more.
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  };

  it('gives exit code, bytes and messages', async () => {
    const command = scripted('cat; echo wrong >&2; exit 3', { input: 'a\u0000ü' });
    expect(await runGit(command)).toEqual({
      exitCode: 3,
      stdout: Buffer.from('a\u0000ü'),
      stderr: 'wrong\n',
    });
  });

  it('gives no variable of the service to git', async () => {
    const { stdout } = await runGit(scripted('env'));
    expect(stdout.toString()).not.toContain('HOME=');
  });

  it('survives a git that does not read its input', async () => {
    const command = scripted('exec <&-; echo done', { input: 'x'.repeat(1_000_000) });
    expect(await runGit(command)).toMatchObject({ exitCode: 0, stdout: Buffer.from('done\n') });
  });

  it('says that git is not there', async () => {
    const command = { args: [], env: { PATH: bin }, deadlineMs: 1000, action: 'try' };
    await expect(runGit(command)).rejects.toMatchObject({ code: 'GIT_NOT_FOUND' });
  });

  it('says which signal ended git', async () => {
    const failure = {
      code: 'GIT_FAILED',
      message: expect.stringMatching(/^cannot try: .*SIGKILL/s) as string,
    };
    await expect(runGit(scripted('kill -9 $$'))).rejects.toMatchObject(failure);
  });

  it('ends git and its helpers at the deadline, also when they do not listen', async () => {
    const helper = path.join(bin, 'helper');
    const script = `trap '' TERM; (trap '' TERM; sleep 60) >/dev/null 2>&1 & echo $! > ${helper}; wait; sleep 60`;
    const failure = { code: 'GIT_TIMEOUT', next: 'retry' };
    await expect(runGit(scripted(script, { deadlineMs: 500 }))).rejects.toMatchObject(failure);
    await expect.poll(() => isAlive(Number(readFileSync(helper, 'utf8')))).toBe(false);
  });

  it('ends git when the signal aborts', async () => {
    const abort = new AbortController();
    let pid = 0;
    const command = scripted('sleep 60', {
      signal: abort.signal,
      onStart(started) {
        pid = started;
        abort.abort();
      },
    });
    await expect(runGit(command)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await expect.poll(() => isAlive(pid)).toBe(false);
    await expect(runGit({ ...command, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'SHUTTING_DOWN',
    });
  });

  it('runs git', async () => {
    const { stdout } = await runGit({
      args: ['--version'],
      env: GIT_ENVIRONMENT,
      deadlineMs: 20_000,
      action: 'ask',
    });
    expect(stdout.toString()).toMatch(/^git version 2/);
  });
});
