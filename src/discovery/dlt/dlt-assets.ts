import type { DiscoveredAsset } from '../../state/snapshot.ts';
import type { SourceRef } from '../pipeline-config.ts';

export interface DltResourceFacts {
  readonly name: string;
  readonly description?: string;
  readonly writeDisposition?: string;
  readonly primaryKey?: readonly string[];
  readonly cursorPath?: string;
  readonly columns?: DiscoveredAsset['columns'];
  readonly source?: SourceRef;
}

/** The one asset of a pipeline that loads as a whole. */
export function dltPipelineAsset(name: string, kinds: readonly string[], source: SourceRef): DiscoveredAsset {
  return {
    key: `dlt_${name}`,
    kind: 'dlt',
    deps: [],
    checks: [],
    tags: dltTags(name),
    kinds: ['dlt', ...kinds],
    source,
  };
}

/** One of several sources of a folder; `resource` is its name. */
export function dltSourceAsset(
  name: string,
  sourceName: string,
  kinds: readonly string[],
  source: SourceRef,
): DiscoveredAsset {
  const whole = dltPipelineAsset(name, kinds, source);
  return { ...whole, key: `${whole.key}/${sourceName}`, resource: sourceName };
}

/** @param kinds those of the destination, as far as it is known */
export function dltResourceAsset(
  name: string,
  kinds: readonly string[],
  facts: DltResourceFacts,
): DiscoveredAsset {
  const metadata = {
    ...(facts.writeDisposition === undefined ? {} : { write_disposition: facts.writeDisposition }),
    ...(facts.primaryKey === undefined ? {} : { primary_key: facts.primaryKey.join(', ') }),
    ...(facts.cursorPath === undefined ? {} : { cursor: facts.cursorPath }),
  };
  return {
    key: `dlt_${name}/${facts.name.replaceAll('/', '_')}`,
    kind: 'dlt',
    resource: facts.name,
    deps: [],
    checks: [],
    tags: dltTags(name),
    kinds: ['dlt', ...kinds],
    ...(facts.description === undefined ? {} : { description: facts.description }),
    ...(facts.columns === undefined || facts.columns.length === 0 ? {} : { columns: facts.columns }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...(facts.source === undefined ? {} : { source: facts.source }),
  };
}

function dltTags(name: string): Record<string, string> {
  return { elt_type: 'dlt', pipeline: name };
}
