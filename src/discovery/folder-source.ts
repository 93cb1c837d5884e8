import type { RepositoryFile } from './discover.ts';
import type { Candidate } from './scan.ts';
import type { YamlResult } from './yaml/parse-yaml.ts';
import { parseYaml } from './yaml/parse-yaml.ts';

/** Files that discovery reads; all others count by their object id alone. */
const READ = /\.(?:py|ya?ml|sql|toml)$|(?:^|\/)requirements[\w.-]*\.txt$/;
/** Larger files are data, whatever their name. */
const LARGEST_READ = 2_000_000;
const MOST_READ = 2000;
/** A Git LFS pointer is about 130 bytes. */
const LFS_SIZES = { from: 120, to: 160 };

/** A pipeline folder at one tree: its files, and the content of those that discovery reads. */
export interface FolderSource extends Candidate {
  readonly treeId: string;
  readonly contents: ReadonlyMap<string, Uint8Array>;
}

const DECODER = new TextDecoder('utf-8', { fatal: false });

export async function loadFolder(
  candidate: Candidate,
  treeId: string,
  readBlob: (oid: string) => Promise<Uint8Array>,
): Promise<FolderSource> {
  const wanted = [...candidate.files].filter(([path, file]) => isRead(path, file)).slice(0, MOST_READ);
  const contents = new Map<string, Uint8Array>();
  await Promise.all(
    wanted.map(async ([path, file]) => {
      contents.set(path, await readBlob(file.oid));
    }),
  );
  return { ...candidate, treeId, contents };
}

/** A file's text; null: the folder has no such file, or it is not one that is read. */
export function textOf(folder: FolderSource, path: string): string | null {
  const bytes = folder.contents.get(path);
  return bytes === undefined ? null : DECODER.decode(bytes);
}

const parsed = new WeakMap<FolderSource, Map<string, YamlResult>>();

/** A YAML file of the folder, parsed once however many readers it has; null: it is not one that is read. */
export function yamlOf(folder: FolderSource, path: string): YamlResult | null {
  const bytes = folder.contents.get(path);
  if (bytes === undefined) return null;
  const results = parsed.get(folder) ?? new Map<string, YamlResult>();
  parsed.set(folder, results);
  let result = results.get(path);
  if (result === undefined) {
    result = parseYaml(fullPath(folder, path), bytes);
    results.set(path, result);
  }
  return result;
}

export function fullPath(folder: Candidate, path: string): string {
  return `${folder.dir}/${path}`;
}

/** Whether discovery reads a file of a pipeline, by its path in the folder. */
export function isRead(path: string, file: RepositoryFile): boolean {
  if (file.mode === '120000') return true;
  if (!file.mode.startsWith('100')) return false;
  if (file.size >= LFS_SIZES.from && file.size <= LFS_SIZES.to) return true;
  // A configuration that is too large still has to be looked at: it is refused, not overlooked.
  return READ.test(path) && (file.size <= LARGEST_READ || path === 'dagster.yaml');
}
