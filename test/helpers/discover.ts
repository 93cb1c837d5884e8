import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type {
  DiscoverInput,
  DiscoverOutput,
  FolderOutcome,
  RepositoryFile,
} from '../../src/discovery/discover.ts';
import { createDiscoverCache, discoverStatic } from '../../src/discovery/discover.ts';
import { formatDiagnostic } from '../../src/lib/diagnostics.ts';
import type { PipelineState } from '../../src/state/snapshot.ts';

export interface MemoryEntry {
  readonly content: string | Uint8Array;
  readonly mode?: string;
}

/** A commit in memory, with the object ids that Git would give. */
export interface MemoryCommit {
  readonly input: DiscoverInput;
  /** Object ids that were read. */
  readonly reads: string[];
}

export type MemoryFiles = Readonly<Record<string, string | Uint8Array | MemoryEntry>>;

export function commitOf(contents: MemoryFiles, overrides: Partial<DiscoverInput> = {}): MemoryCommit {
  const blobs = new Map<string, Uint8Array>();
  const reads: string[] = [];
  const files = Object.entries(contents).map(([path, entry]): RepositoryFile => {
    const { content, mode } =
      typeof entry === 'string' || entry instanceof Uint8Array ? { content: entry, mode: undefined } : entry;
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
    blobs.set(oid, bytes);
    return { path, mode: mode ?? '100644', oid, size: bytes.length };
  });
  const input: DiscoverInput = {
    component: 'main',
    commit: 'c'.repeat(40),
    pipelinesDirectory: 'pipelines',
    files,
    readBlob: (oid) => {
      reads.push(oid);
      const bytes = blobs.get(oid);
      return bytes === undefined ? Promise.reject(new Error(`no blob ${oid}`)) : Promise.resolve(bytes);
    },
    folderTreeId: (dir) => {
      const inside = files.filter((file) => file.path.startsWith(`${dir}/`));
      return createHash('sha1')
        .update(JSON.stringify(inside.map(({ path, mode, oid }) => [path, mode, oid])))
        .digest('hex');
    },
    results: new Map(),
    cache: createDiscoverCache(),
    previous: [],
    environment: { names: new Set(), passEnv: [] },
    ...overrides,
  };
  return { input, reads };
}

export async function discover(
  contents: MemoryFiles,
  overrides: Partial<DiscoverInput> = {},
): Promise<DiscoverOutput> {
  return discoverStatic(commitOf(contents, overrides).input);
}

/** Every file below a folder of the disk, as a commit's content. */
export function contentsOf(root: string): Record<string, Uint8Array> {
  const found: Record<string, Uint8Array> = {};
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found[relative(root, path)] = readFileSync(path);
  }
  return found;
}

export function stateOf(output: DiscoverOutput, name: string): PipelineState {
  const folder = output.folders.find((one) => one.ok && one.state.config.name === name);
  if (folder?.ok !== true) {
    throw new Error(`${name} was not discovered: ${linesOf(output).join('\n')}`);
  }
  return folder.state;
}

export function failureOf(output: DiscoverOutput, name: string): FolderOutcome & { ok: false } {
  const folder = output.folders.find(
    (one) => !one.ok && (one.name === name || one.name.endsWith(`_${name}`)),
  );
  if (folder === undefined || folder.ok)
    throw new Error(`${name} did not fail: ${linesOf(output).join('\n')}`);
  return folder;
}

export function keysOf(output: DiscoverOutput, name: string): string[] {
  return stateOf(output, name).assets.map((asset) => asset.key);
}

export function linesOf(output: { readonly diagnostics: DiscoverOutput['diagnostics'] }): string[] {
  return output.diagnostics.map(formatDiagnostic);
}
