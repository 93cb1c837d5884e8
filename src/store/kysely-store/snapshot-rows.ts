import { digestOf } from '../../lib/digest.ts';
import type { PipelineState, Snapshot } from '../../state/snapshot.ts';
import { fromJson } from './json.ts';

/** A pipeline's state as it is stored: what a new commit alone changes (`commit`, `status`) stands beside it. */
export interface FolderRow {
  readonly body: string;
  readonly commit: string;
  readonly status: PipelineState['status'];
}

type Content = Omit<PipelineState, 'status' | 'code'> & { code: Omit<PipelineState['code'], 'commit'> };

const digests = new WeakMap<PipelineState, string>();

/** By what a folder's body is stored under. A folder that did not change is the same object at each revision. */
export function folderDigest(pipeline: PipelineState): string {
  const known = digests.get(pipeline);
  if (known !== undefined) return known;
  const digest = digestOf(contentOf(pipeline));
  digests.set(pipeline, digest);
  return digest;
}

export function folderBody(pipeline: PipelineState): string {
  return JSON.stringify(contentOf(pipeline));
}

function contentOf(pipeline: PipelineState): Content {
  const { status: _status, ...rest } = pipeline;
  const { commit: _commit, ...code } = pipeline.code;
  return { ...rest, code };
}

export function fromFolder(row: FolderRow): PipelineState {
  const { code, ...rest } = fromJson<Content>(row.body);
  return { ...rest, code: { ...code, commit: row.commit }, status: row.status };
}

/** The snapshot without its pipelines, which are rows of their own. */
export function toHeader(snapshot: Snapshot): string {
  return JSON.stringify({ ...snapshot, pipelines: [] });
}

export function fromHeader(header: string, pipelines: readonly PipelineState[]): Snapshot {
  return { ...fromJson<Snapshot>(header), pipelines };
}
