import { digestOf } from '../../lib/digest.ts';
import type { PipelineState, Snapshot } from '../../state/snapshot.ts';
import { fromJson } from './json.ts';

/** A pipeline's state as it is stored: what a new commit alone changes (`commit`, `status`) stands beside it. */
export interface FolderRow {
  readonly stateDigest: string;
  readonly body: string;
  readonly commit: string;
  readonly status: PipelineState['status'];
}

export function toFolder(pipeline: PipelineState): FolderRow {
  const { status, code, ...rest } = pipeline;
  const { commit, ...codeRest } = code;
  const content = { ...rest, code: codeRest };
  return { stateDigest: digestOf(content), body: JSON.stringify(content), commit, status };
}

export function fromFolder(row: Omit<FolderRow, 'stateDigest'>): PipelineState {
  type Content = Omit<PipelineState, 'status' | 'code'> & { code: Omit<PipelineState['code'], 'commit'> };
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
