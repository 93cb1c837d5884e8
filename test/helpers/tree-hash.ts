import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Path → mode and content digest of every file below a folder. */
export function treeHash(folder: string): Record<string, string> {
  const hashes: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const file = join(entry.parentPath, entry.name);
    const content = entry.isSymbolicLink() ? readlinkSync(file) : readFileSync(file);
    const digest = createHash('sha256').update(content).digest('hex');
    hashes[relative(folder, file)] = `${(lstatSync(file).mode & 0o777).toString(8)} ${digest}`;
  }
  return hashes;
}
