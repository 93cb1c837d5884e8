import { readFile, rm, writeFile } from 'node:fs/promises';

/**
 * A git process survives a kill -9 of the service in its own group. Its pid stands in a file, so that the next start can
 * end it before it touches the locks that it holds.
 */
export async function recordProcess(file: string, pid: number): Promise<void> {
  await writeFile(file, `${pid}\n`);
}

/** Ends the recorded process group if it is still a git that works on this directory, then forgets it. */
export async function endOrphan(file: string, gitDir: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return false;
  const pid = Number.parseInt(text, 10);
  const ours =
    Number.isSafeInteger(pid) && pid > 1 && (await commandLine(pid)).includes(`--git-dir=${gitDir}`);
  if (ours) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended between the look and the signal.
    }
  }
  await rm(file, { force: true });
  return ours;
}

async function commandLine(pid: number): Promise<string> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
  } catch {
    return process.platform === 'linux' ? '' : commandLineByPs(pid);
  }
}

async function commandLineByPs(pid: number): Promise<string> {
  const { execa } = await import('execa');
  const result = await execa('ps', ['-o', 'command=', '-p', String(pid)], { reject: false });
  return result.stdout;
}
