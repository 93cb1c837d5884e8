import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { OperationalError } from '../lib/errors.ts';

export interface GitObject {
  readonly type: string;
  readonly content: Buffer;
}

export interface BlobReader {
  /** Null: there is no such object. Requests may overlap; they are answered in order. */
  read(spec: string): Promise<GitObject | null>;
  close(): void;
}

interface Request {
  readonly resolve: (object: GitObject | null) => void;
  readonly reject: (error: Error) => void;
}

const NEWLINE = 0x0a;
const LONGEST_STDERR = 10_000;

/**
 * One `git cat-file --batch` (git-cat-file(1), BATCH OUTPUT): a request is a line, an answer is
 * `<oid> <type> <size>\n<content>\n` or `<request> missing\n`. When the process dies every open request fails.
 */
export function startBlobReader(gitDir: string, env: Readonly<Record<string, string>>): BlobReader {
  const child: ChildProcessWithoutNullStreams = spawn('git', [`--git-dir=${gitDir}`, 'cat-file', '--batch'], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const waiting: Request[] = [];
  let failure: Error | null = null;
  let stderr = '';
  let head: Buffer = Buffer.alloc(0);
  let body: { type: string; size: number; chunks: Buffer[]; have: number } | null = null;

  function take(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (body === null) {
        const end = rest.indexOf(NEWLINE);
        if (end === -1) {
          head = Buffer.concat([head, rest]);
          return;
        }
        const line = Buffer.concat([head, rest.subarray(0, end)]).toString('utf8');
        head = Buffer.alloc(0);
        rest = rest.subarray(end + 1);
        const match = /^[0-9a-f]{40,64} (\w+) (\d+)$/.exec(line);
        if (match === null) waiting.shift()?.resolve(null);
        else body = { type: match[1]!, size: Number(match[2]), chunks: [], have: 0 };
        continue;
      }
      // The content and the newline after it.
      const part = rest.subarray(0, body.size + 1 - body.have);
      body.chunks.push(part);
      body.have += part.length;
      rest = rest.subarray(part.length);
      if (body.have === body.size + 1) {
        const content = Buffer.concat(body.chunks).subarray(0, body.size);
        waiting.shift()?.resolve({ type: body.type, content });
        body = null;
      }
    }
  }

  function fail(reason: string): void {
    failure ??= new OperationalError('GIT_CORRUPT', `cannot read the objects of the repository: ${reason}`, {
      next: 'retry',
      hint: 'the repository is cloned again by itself; if that repeats, check the disk',
    });
    for (const request of waiting.splice(0)) request.reject(failure);
  }

  child.stdout.on('data', take);
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < LONGEST_STDERR) stderr += chunk.toString('utf8');
  });
  child.stdin.on('error', () => undefined);
  child.on('error', (error) => fail(error.message));
  child.on('close', () => fail(stderr.trim().split('\n').at(-1) || 'git ended'));
  return {
    read(spec) {
      if (failure !== null) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        child.stdin.write(`${spec}\n`);
      });
    },
    close() {
      child.stdin.end();
      child.kill('SIGKILL');
    },
  };
}
