import { createHash } from 'node:crypto';

interface Entry {
  readonly path: string;
  readonly mode: string;
  readonly oid: string;
}

/**
 * Git's id of the tree that these files make (git-mktree(1)): equal content, equal id as in a commit.
 * @param files with paths relative to the tree; no path stands twice
 */
export function treeId(files: readonly Entry[]): string {
  const idLength = files[0]?.oid.length ?? 40;
  const entries = new Map<string, Entry>();
  const below = new Map<string, Entry[]>();
  for (const file of files) {
    const slash = file.path.indexOf('/');
    if (slash === -1) {
      entries.set(file.path, file);
      continue;
    }
    const name = file.path.slice(0, slash);
    const inside = { ...file, path: file.path.slice(slash + 1) };
    const list = below.get(name);
    if (list === undefined) below.set(name, [inside]);
    else list.push(inside);
  }
  for (const [name, inside] of below)
    entries.set(`${name}/`, { path: name, mode: '40000', oid: treeId(inside) });
  // Git sorts by bytes, folders as if their names ended in a slash: the keys are just that.
  const sorted = [...entries].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const parts = sorted.flatMap(([, { path, mode, oid }]) => [
    Buffer.from(`${mode} ${path}\0`),
    Buffer.from(oid, 'hex'),
  ]);
  const body = Buffer.concat(parts);
  return createHash(idLength === 64 ? 'sha256' : 'sha1')
    .update(`tree ${body.length}\0`)
    .update(body)
    .digest('hex');
}
