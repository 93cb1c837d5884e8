import type { DiscoveredAsset } from '../../state/snapshot.ts';
import type { Replication, SlingStream } from './replication.ts';

/**
 * The parts of a name as dagster-sling makes them: lower case, quotes removed, everything but letters, digits, `_` and
 * dots replaced by `_`, split at the dots (`DagsterSlingTranslator.sanitize_stream_name`).
 */
export function sanitisedParts(name: string): string[] {
  return name
    .replaceAll('"', '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9_.]/g, '_')
    .split('.')
    .filter((part) => part !== '');
}

export function slingReplicationAsset(name: string, replication: Replication): DiscoveredAsset {
  const deps = new Set(replication.streams.flatMap((stream) => stream.deps.map(dotted)));
  return {
    key: `sling_${name}`,
    kind: 'sling',
    deps: [...deps].sort(),
    checks: [],
    tags: slingTags(name),
    kinds: ['sling'],
    metadata: { streams: replication.streams.length },
    source: { file: replication.file, line: 1, column: 1 },
  };
}

export function slingStreamAsset(
  name: string,
  replication: Replication,
  stream: SlingStream,
): DiscoveredAsset {
  const { at, mode, primaryKey, updateKey, object } = stream;
  return {
    key: streamKey(name, stream),
    kind: 'sling',
    resource: stream.name,
    deps: [...new Set(depsOf(stream))].sort(),
    checks: [],
    codeVersion: stream.codeVersion,
    tags: slingTags(name),
    kinds: ['sling'],
    metadata: {
      stream: stream.name,
      ...(object === undefined ? {} : { object }),
      ...(mode === undefined ? {} : { mode }),
      ...(primaryKey === undefined ? {} : { primary_key: primaryKey.join(', ') }),
      ...(updateKey === undefined ? {} : { update_key: updateKey }),
      ...(stream.dynamic ? { dynamic: true } : {}),
    },
    ...(stream.description === undefined ? {} : { description: stream.description }),
    source: { file: replication.file, line: at.line, column: at.column },
  };
}

function streamKey(name: string, stream: SlingStream): string {
  if (stream.assetKey !== undefined) return dotted(stream.assetKey);
  // `public.*` stands for the schema: the pattern itself is no name.
  const parts = sanitisedParts(stream.name.replaceAll(/\.?[*?]+$/g, ''));
  return [`sling_${name}`, ...parts].join('/');
}

/** As dagster-sling: what `meta.dagster.deps` says, else the stream's own name; the name of a file is no asset. */
function depsOf(stream: SlingStream): string[] {
  if (stream.deps.length > 0) return stream.deps.map(dotted);
  if (stream.dynamic || stream.name.includes('://')) return [];
  return [sanitisedParts(stream.name).join('/')];
}

/** `a.b` → `a/b`; a key that has a slash already is taken as it is. */
function dotted(key: string): string {
  return key.includes('/') ? key : sanitisedParts(key).join('/');
}

function slingTags(name: string): Record<string, string> {
  return { elt_type: 'sling', pipeline: name, replication: name };
}
