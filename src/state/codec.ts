import { canonicalJson, sha256 } from '../lib/digest.ts';
import { camelCase, type KeyKind, kindBelow, snakeCase } from './keys.ts';
import type { Condition, PipelineState, Snapshot } from './snapshot.ts';

/** What a snapshot's digest is made of: everything but `takenAt` and `conditions`. */
export type SnapshotContent = Omit<Snapshot, 'digest' | 'takenAt' | 'conditions'>;

const VERSION = 1;
/** A folder that did not change is the same object from one snapshot to the next. */
const encoded = new WeakMap<PipelineState, { readonly bytes: Buffer; readonly digest: string }>();

/** Equal content gives an equal digest, `sha256:<hex>`. */
export function snapshotDigest(content: SnapshotContent): string {
  const head = canonicalJson(headOf(content));
  const folders = content.pipelines.map((pipeline) => encodePipeline(pipeline).digest);
  return `sha256:${sha256([head, ...folders].join('\n'))}`;
}

/** The snapshot as `pipelines_state.json` (`interfaces.md` §4): snake_case, keys sorted, one line break at the end. */
export function encodeSnapshot(snapshot: Snapshot): Buffer {
  const head: Record<string, unknown> = {
    ...headOf(snapshot),
    conditions: snapshot.conditions.map(encodeCondition),
    digest: snapshot.digest,
    taken_at: isoTime(snapshot.takenAt),
  };
  const parts: Buffer[] = [];
  const add = (text: string): void => void parts.push(Buffer.from(text));
  for (const [nth, key] of Object.keys(head).concat('pipelines').sort().entries()) {
    add(`${nth === 0 ? '{' : ','}\n  ${JSON.stringify(key)}: `);
    if (key !== 'pipelines') add(indented(pretty(head[key])));
    else parts.push(...folderList(snapshot.pipelines));
  }
  add('\n}\n');
  return Buffer.concat(parts);
}

/** Of thousands of folders nearly all are as they were: their bytes are copied, not made. */
function folderList(pipelines: readonly PipelineState[]): Buffer[] {
  if (pipelines.length === 0) return [Buffer.from('[]')];
  const parts: Buffer[] = [Buffer.from('[')];
  const between = Buffer.from(',\n    ');
  for (const [nth, pipeline] of pipelines.entries()) {
    parts.push(nth === 0 ? Buffer.from('\n    ') : between, encodePipeline(pipeline).bytes);
  }
  parts.push(Buffer.from('\n  ]'));
  return parts;
}

export type DecodeResult = { readonly ok: Snapshot } | { readonly problem: string };

/** Reads what `encodeSnapshot` wrote. Anything else (truncated, edited, of another version) is a problem, never half a snapshot. */
export function decodeSnapshot(text: string): DecodeResult {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return { problem: 'it is not whole JSON' };
  }
  if (!isObject(file)) return { problem: 'it is not a JSON object' };
  if (file.version !== VERSION)
    return { problem: `it has version ${JSON.stringify(file.version)}, this release reads ${VERSION}` };
  try {
    const snapshot = fromFile(file);
    if (snapshotDigest(snapshot) !== snapshot.digest)
      return { problem: 'its content does not match its digest' };
    return { ok: snapshot };
  } catch {
    return { problem: 'it does not have the shape of a state file' };
  }
}

function headOf(content: SnapshotContent): Record<string, unknown> {
  const { url, branch, commit, author, message, committedAt, uncommitted } = content.repo;
  return {
    version: content.version,
    component: content.component,
    repo: {
      url,
      branch,
      commit,
      author,
      message,
      committed_at: isoTime(committedAt),
      ...(uncommitted === true ? { uncommitted } : {}),
    },
    instance: toFile(content.instance, 'ours'),
    diagnostics: toFile(content.diagnostics, 'ours'),
  };
}

function encodePipeline(pipeline: PipelineState): { bytes: Buffer; digest: string } {
  const known = encoded.get(pipeline);
  if (known !== undefined) return known;
  const { name, config, code, status, assets, discovery } = pipeline;
  const file = {
    name,
    tool: config.tool,
    dir: code.dir,
    revision: code.commit,
    tree_id: code.treeId,
    content_digest: code.contentDigest,
    status,
    discovery: toFile(discovery, 'ours'),
    assets: toFile(assets, 'ours'),
    config: toFile(config, 'ours'),
  };
  const json = canonicalJson(file);
  const text = JSON.stringify(JSON.parse(json), null, 2).replaceAll('\n', '\n    ');
  const made = { bytes: Buffer.from(text), digest: sha256(json) };
  encoded.set(pipeline, made);
  return made;
}

function encodeCondition({ type, status, reason, message, since }: Condition): unknown {
  return { type, status, reason, message, since: isoTime(since) };
}

function fromFile(file: Record<string, unknown>): Snapshot {
  const { component, repo, instance, diagnostics, conditions, pipelines, digest } =
    file as unknown as StateFile;
  const { committed_at, ...rest } = repo;
  return {
    version: VERSION,
    component,
    repo: { ...rest, committedAt: Date.parse(committed_at) },
    takenAt: Date.parse((file as unknown as StateFile).taken_at),
    digest,
    instance: fromFileValue(instance, 'ours') as Snapshot['instance'],
    diagnostics: fromFileValue(diagnostics, 'ours') as Snapshot['diagnostics'],
    conditions: conditions.map(({ since, ...condition }) => ({ ...condition, since: Date.parse(since) })),
    pipelines: pipelines.map((pipeline) => ({
      name: pipeline.name,
      config: fromFileValue(pipeline.config, 'ours') as PipelineState['config'],
      code: {
        component,
        commit: pipeline.revision,
        dir: pipeline.dir,
        treeId: pipeline.tree_id,
        contentDigest: pipeline.content_digest,
      },
      status: pipeline.status,
      assets: fromFileValue(pipeline.assets, 'ours') as PipelineState['assets'],
      discovery: fromFileValue(pipeline.discovery, 'ours') as PipelineState['discovery'],
    })),
  };
}

/** The parts that are read by name; the digest proves that the rest is as we wrote it. */
interface StateFile {
  readonly component: string;
  readonly repo: Omit<Snapshot['repo'], 'committedAt'> & { readonly committed_at: string };
  readonly taken_at: string;
  readonly digest: string;
  readonly instance: unknown;
  readonly diagnostics: unknown;
  readonly conditions: readonly (Omit<Condition, 'since'> & { readonly since: string })[];
  readonly pipelines: readonly {
    readonly name: string;
    readonly dir: string;
    readonly revision: string;
    readonly tree_id: string;
    readonly content_digest: string;
    readonly status: PipelineState['status'];
    readonly discovery: unknown;
    readonly assets: unknown;
    readonly config: unknown;
  }[];
}

function toFile(value: unknown, kind: KeyKind): unknown {
  return mapKeys(value, kind, (key) => ({ written: snakeCase(key), ours: key }));
}

function fromFileValue(value: unknown, kind: KeyKind): unknown {
  return mapKeys(value, kind, (key) => ({ written: camelCase(key), ours: camelCase(key) }));
}

function mapKeys(
  value: unknown,
  kind: KeyKind,
  rename: (key: string) => { readonly written: string; readonly ours: string },
): unknown {
  if (kind === 'verbatim') return value;
  if (Array.isArray(value)) return value.map((item) => mapKeys(item, kind, rename));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([, child]) => child !== undefined);
  return Object.fromEntries(
    entries.map(([key, child]) => {
      if (kind === 'named') return [key, mapKeys(child, 'ours', rename)];
      const { written, ours } = rename(key);
      return [written, mapKeys(child, kindBelow(ours, child), rename)];
    }),
  );
}

/** Indented JSON with sorted keys. */
function pretty(value: unknown): string {
  return JSON.stringify(JSON.parse(canonicalJson(value)), null, 2);
}

function indented(text: string): string {
  return text.replaceAll('\n', '\n  ');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
