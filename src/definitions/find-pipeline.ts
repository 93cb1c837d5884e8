import { distance } from 'fastest-levenshtein';
import type { Tool } from '../discovery/pipeline-config.ts';
import type { PipelineState } from '../state/snapshot.ts';
import type { Definitions } from './definitions.ts';

export interface FoundPipeline {
  readonly component: string;
  readonly pipeline: PipelineState;
}

export type PipelineResult =
  | ({ readonly ok: true } & FoundPipeline)
  | {
      readonly ok: false;
      readonly code: 'PIPELINE_NOT_FOUND' | 'REQUEST_INVALID';
      readonly message: string;
      readonly hint: string;
    };

/**
 * The pipeline that a person means: by its name (`dlt_orders`, with its component before a slash where two have it), by
 * that of its folder (`orders`), or for dlt by that of a declared source or of dlt's own pipeline.
 * @param tools only pipelines of these are meant
 */
export function findPipeline(definitions: Definitions, name: string, tools: readonly Tool[]): PipelineResult {
  const all = [...definitions.pipelines].map(([id, pipeline]) => ({
    id,
    component: id.slice(0, id.length - pipeline.name.length - 1),
    pipeline,
  }));
  const meant = all.filter(({ pipeline }) => tools.includes(pipeline.config.tool));
  const exact = meant.filter(({ id, pipeline }) => id === name || pipeline.name === name);
  const found = exact.length > 0 ? exact : meant.filter(({ pipeline }) => others(pipeline).has(name));
  const [first] = found;
  if (first !== undefined && found.length === 1) {
    return { ok: true, component: first.component, pipeline: first.pipeline };
  }
  if (first !== undefined) {
    return {
      ok: false,
      code: 'REQUEST_INVALID',
      message: `"${name}" can be ${found.map(({ id }) => id).join(' or ')}`,
      hint: 'name one of them whole',
    };
  }
  const other = all.find(({ id, pipeline }) => id === name || pipeline.name === name);
  if (other !== undefined) {
    return {
      ok: false,
      code: 'REQUEST_INVALID',
      message: `${other.pipeline.name} is a ${other.pipeline.config.tool} pipeline; this is for ${tools.join(' and ')}`,
      hint: names(meant.map(({ pipeline }) => pipeline.name)),
    };
  }
  return {
    ok: false,
    code: 'PIPELINE_NOT_FOUND',
    message: `there is no ${tools.join(' or ')} pipeline "${name}"`,
    hint: suggestion(name, meant),
  };
}

function others({ config, code }: PipelineState): ReadonlySet<string> {
  const folder = code.dir.slice(code.dir.lastIndexOf('/') + 1);
  const sources = config.dlt?.sources?.map((source) => source.name) ?? [];
  const given = [folder, config.dlt?.sourceName, config.dlt?.pipelineName, ...sources];
  return new Set(given.filter((one) => one !== undefined));
}

function suggestion(name: string, meant: readonly { readonly pipeline: PipelineState }[]): string {
  const near = meant
    .map(({ pipeline }) => ({
      name: pipeline.name,
      score: Math.min(...[pipeline.name, ...others(pipeline)].map((one) => distance(one, name))),
    }))
    .filter(({ score }) => score <= Math.max(2, name.length / 3))
    .sort((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1));
  if (near.length === 0) return names(meant.map(({ pipeline }) => pipeline.name));
  return `did you mean ${near
    .slice(0, 3)
    .map((one) => one.name)
    .join(', ')}?`;
}

function names(all: readonly string[]): string {
  const most = 10;
  if (all.length === 0) return 'there are none';
  const more = all.length > most ? `, and ${all.length - most} more: elt pipeline list` : '';
  return `there are ${all.slice(0, most).join(', ')}${more}`;
}
