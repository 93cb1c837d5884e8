import type { Definitions } from '../../definitions/definitions.ts';
import type { PipelineState } from '../../state/snapshot.ts';

/** A pipeline on both sides of a change. */
export interface PipelinePair {
  /** `component/name` there; null: it is new. */
  readonly before: PipelineState | null;
  /** null: it is gone. */
  readonly after: PipelineState | null;
  /** `declared`: `moved_from` carries its history along; `guessed`: equal content at another path, as a new pipeline. */
  readonly move: 'declared' | 'guessed' | null;
}

/**
 * Pipelines of both sides side by side: by name, then by `moved_from`, then by a tree or else a content that exists just
 * once among those that went and once among those that came.
 */
export function pairPipelines(before: Definitions, after: Definitions): PipelinePair[] {
  const pairs: PipelinePair[] = [];
  const gone = new Map(before.pipelines);
  const fresh: PipelineState[] = [];
  for (const [id, now] of after.pipelines) {
    const old = gone.get(id);
    gone.delete(id);
    if (old === undefined) fresh.push(now);
    else pairs.push({ before: old, after: now, move: null });
  }
  const left = new Map([...gone.values()].map((state) => [placeOf(state), state]));
  const take = (
    old: PipelineState | undefined,
    now: PipelineState,
    move: 'declared' | 'guessed',
  ): boolean => {
    if (old === undefined || !left.delete(placeOf(old))) return false;
    return pairs.push({ before: old, after: now, move }) > 0;
  };
  let open = fresh.filter((now) => {
    const { movedFrom } = now.config;
    const old = movedFrom === undefined ? undefined : left.get(`${now.code.component}/${movedFrom}`);
    return !take(old, now, 'declared');
  });
  for (const sameAs of [treeOf, contentOf]) {
    const [olds, news] = [unique(left.values(), sameAs), unique(open, sameAs)];
    open = open.filter((now) => {
      const old = news.has(sameAs(now)) ? olds.get(sameAs(now)) : undefined;
      return !take(old, now, 'guessed');
    });
  }
  pairs.push(...open.map((after) => ({ before: null, after, move: null })));
  pairs.push(...[...left.values()].map((before) => ({ before, after: null, move: null })));
  return pairs;
}

/** Keys that assets of moved pipelines had before, by the key that they have now. Only where history comes along. */
export function movedAssets(pairs: readonly PipelinePair[]): ReadonlyMap<string, string> {
  const moved = new Map<string, string>();
  for (const { before, after, move } of pairs) {
    if (move !== 'declared' || before === null || after === null) continue;
    for (const asset of after.assets) {
      const old = before.assets.find((one) => isSameAsset(before, one, after, asset));
      if (old !== undefined && old.key !== asset.key) moved.set(asset.key, old.key);
    }
  }
  return moved;
}

/** Name of a moved pipeline's schedule → the name that it had. */
export function renamedSchedules(pairs: readonly PipelinePair[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { before, after, move } of pairs) {
    if (move === 'declared' && before !== null && after !== null && before.name !== after.name)
      names.set(`${after.name}_schedule`, `${before.name}_schedule`);
  }
  return names;
}

type Asset = PipelineState['assets'][number];

/** As the store moves aliases: by resource, as the only one, or by what stands after the pipeline's name. */
function isSameAsset(before: PipelineState, old: Asset, after: PipelineState, asset: Asset): boolean {
  if (old.resource !== undefined || asset.resource !== undefined) return old.resource === asset.resource;
  if (before.assets.length === 1 && after.assets.length === 1) return true;
  return old.key.slice(old.key.indexOf('/')) === asset.key.slice(asset.key.indexOf('/'));
}

function placeOf({ code }: PipelineState): string {
  return `${code.component}/${code.dir}`;
}

function treeOf({ code, config }: PipelineState): string {
  return `${code.component} ${config.tool} ${code.treeId}`;
}

function contentOf({ code, config }: PipelineState): string {
  return `${code.component} ${config.tool} ${code.contentDigest}`;
}

function unique(
  states: Iterable<PipelineState>,
  keyOf: (state: PipelineState) => string,
): ReadonlyMap<string, PipelineState> {
  const found = new Map<string, PipelineState | null>();
  for (const state of states) found.set(keyOf(state), found.has(keyOf(state)) ? null : state);
  return new Map([...found].filter((entry): entry is [string, PipelineState] => entry[1] !== null));
}
