import { createHash } from 'node:crypto';
import { OperationalError } from '../lib/errors.ts';
import { type BlobReader, startBlobReader } from './cat-file.ts';
import { gitError } from './git-errors.ts';
import { runGit } from './git-process.ts';

export interface TreeEntry {
  /** From the root of the listed tree-ish, `/`-separated. */
  readonly path: string;
  /** `100644`, `100755`, `120000` (symlink), `160000` (submodule), `040000` (tree). */
  readonly mode: string;
  readonly type: 'blob' | 'tree' | 'commit';
  readonly oid: string;
  /** Bytes of a blob, 0 for anything else. */
  readonly size: number;
}

export interface CommitInfo {
  readonly commit: string;
  readonly tree: string;
  readonly parents: readonly string[];
  /** Name, without the e-mail address. */
  readonly author: string;
  readonly message: string;
  /** Epoch milliseconds. */
  readonly committedAt: number;
  /** E-mail address of the committer. */
  readonly committerEmail: string;
}

/** Reads objects of one repository by one `git cat-file --batch` process. Errors: `GIT_CORRUPT`, `GIT_FAILED`. */
export interface ObjectReader {
  commit(oid: string): Promise<CommitInfo>;
  /** Every entry below the tree-ish, trees included; with `paths` only what lies at or below them. */
  list(treeish: string, paths?: readonly string[]): Promise<readonly TreeEntry[]>;
  /** Content of a blob, verified against its id. */
  blob(oid: string): Promise<Buffer>;
  /** Content of a file at a commit; null if there is none or it is no file. */
  file(commit: string, path: string): Promise<Buffer | null>;
  exists(oid: string): Promise<boolean>;
  close(): void;
}

const LIST_DEADLINE_MS = 120_000;

export function openObjects(gitDir: string, env: Readonly<Record<string, string>>): ObjectReader {
  let reader: BlobReader | null = null;
  async function read(spec: string): ReturnType<BlobReader['read']> {
    reader ??= startBlobReader(gitDir, env);
    return reader.read(spec);
  }
  async function object(oid: string, type: string): Promise<Buffer> {
    const found = await read(oid);
    if (found === null) throw corrupt(`object ${oid} is missing`);
    if (found.type !== type) throw corrupt(`object ${oid} is a ${found.type}, a ${type} was expected`);
    if (objectId(type, found.content, oid.length) !== oid)
      throw corrupt(`object ${oid} does not match its id`);
    return found.content;
  }
  return {
    async commit(oid) {
      return parseCommit(oid, (await object(oid, 'commit')).toString('utf8'));
    },
    async list(treeish, paths = []) {
      const output = await runGit({
        args: [`--git-dir=${gitDir}`, 'ls-tree', '-r', '-t', '-l', '-z', '--full-tree', treeish, ...paths],
        env,
        deadlineMs: LIST_DEADLINE_MS,
        action: `list the files of ${treeish}`,
      });
      if (output.exitCode !== 0) {
        const error = gitError(output.stderr, {
          action: `list the files of ${treeish}`,
          host: null,
          hasToken: false,
          redact: (text) => text,
        });
        throw /not a (valid|tree)|Not a valid object/i.test(output.stderr) ? corrupt(error.message) : error;
      }
      return parseListing(output.stdout);
    },
    async blob(oid) {
      return object(oid, 'blob');
    },
    async file(commit, path) {
      if (path.includes('\n') || path.includes('\0')) return null;
      const found = await read(`${commit}:${path}`);
      return found?.type === 'blob' ? found.content : null;
    },
    async exists(oid) {
      return (await read(oid)) !== null;
    },
    close() {
      reader?.close();
      reader = null;
    },
  };
}

/** Git's id of an object: SHA-1, or SHA-256 in repositories of that format (ids of 64 digits). */
export function objectId(type: string, content: Uint8Array, idLength: number): string {
  return createHash(idLength === 64 ? 'sha256' : 'sha1')
    .update(`${type} ${content.length}\0`)
    .update(content)
    .digest('hex');
}

/**
 * `<mode> <type> <oid> <size>\t<path>\0…` of `git ls-tree -l -z`. Names that are not UTF-8 keep U+FFFD for each bad byte,
 * which the path rules refuse.
 */
function parseListing(output: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (const row of output.toString('utf8').split('\0')) {
    const tab = row.indexOf('\t');
    if (tab === -1) continue;
    const [mode = '', type = '', oid = '', size = ''] = row.slice(0, tab).split(/ +/);
    entries.push({
      path: row.slice(tab + 1),
      mode,
      type: type as TreeEntry['type'],
      oid,
      size: size === '-' ? 0 : Number(size),
    });
  }
  return entries;
}

function parseCommit(commit: string, text: string): CommitInfo {
  const end = text.indexOf('\n\n');
  const headers = (end === -1 ? text : text.slice(0, end)).split('\n');
  const values = (name: string): string[] =>
    headers.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  const committer = values('committer')[0] ?? '';
  const seconds = /> (\d+) [+-]\d+$/.exec(committer)?.[1] ?? '0';
  return {
    commit,
    tree: values('tree')[0] ?? '',
    parents: values('parent'),
    author: (values('author')[0] ?? '').replace(/ ?<.*$/, ''),
    message: end === -1 ? '' : text.slice(end + 2).trimEnd(),
    committedAt: Number(seconds) * 1000,
    committerEmail: /<([^>]*)>/.exec(committer)?.[1] ?? '',
  };
}

function corrupt(message: string): OperationalError {
  return new OperationalError('GIT_CORRUPT', message, {
    next: 'retry',
    hint: 'the repository is cloned again by itself; if that repeats, check the disk',
  });
}
