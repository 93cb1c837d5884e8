import type { AssetNode, Definitions } from '../../definitions/definitions.ts';
import { isEqual } from '../../definitions/field-changes.ts';
import type { PartitionsDefinition } from '../../partitions/definition/partitions-definition.ts';
import type { Instant } from '../../partitions/instant.ts';
import type { PartitionSubset } from '../../partitions/subset/partition-subset.ts';
import {
  emptySubset,
  intersectionOf,
  isEmpty,
  isEqual as isSameSubset,
  minus,
  rangeSubset,
  unionOf,
  unionOfAll,
} from '../../partitions/subset/partition-subset.ts';
import { allPartitions } from '../../partitions/subset/subset-keys.ts';
import { translateSubset } from '../../partitions/subset/translate.ts';
import type { PartitionImpact } from '../revision-plan.ts';
import { backfillCommand } from './backfill-command.ts';
import { movedAssets, pairPipelines } from './moves.ts';
import { NO_SPANS, partitionSpans } from './partition-spans.ts';

/** Partitions that were last written with one code version, as ordinals of the definition that was asked with. */
export interface WrittenWith {
  /** '' where it is not known any more. */
  readonly codeVersion: string;
  /** Without a definition: the ordinal 0 for the whole. */
  readonly subset: PartitionSubset;
}

/** What was ever written of an asset, by each of the two definitions; empty where the asset is not on that side. */
export interface Written {
  readonly before: readonly WrittenWith[];
  readonly after: readonly WrittenWith[];
}

/** An asset whose partitions or code differ: what was written of it has to be known. */
export interface ImpactCandidate {
  /** Key now; of a removed asset the one that it had. */
  readonly asset: string;
  /** Key that the store knows it by: of a moved asset the one before. */
  readonly storedAs: string;
  readonly before: AssetNode | null;
  readonly after: AssetNode | null;
}

/** The assets that going from one to the other can concern; those that only changed in other ways are not among them. */
export function impactCandidates(before: Definitions, after: Definitions): ImpactCandidate[] {
  const moved = movedAssets(pairPipelines(before, after));
  const left = new Map(before.assets.nodes);
  const candidates: ImpactCandidate[] = [];
  for (const node of after.assets.nodes.values()) {
    if (node.kind !== 'materializable') continue;
    const storedAs = moved.get(node.key) ?? node.key;
    const old = left.get(storedAs);
    left.delete(storedAs);
    const was = old?.kind === 'materializable' ? old : null;
    if (was === null || isConcerned(was, node))
      candidates.push({ asset: node.key, storedAs, before: was, after: node });
  }
  for (const node of left.values()) {
    if (node.kind === 'materializable')
      candidates.push({ asset: node.key, storedAs: node.key, before: node, after: null });
  }
  return candidates;
}

function isConcerned(before: AssetNode, after: AssetNode): boolean {
  return (
    before.enabled !== after.enabled ||
    isOtherCode(before, after) ||
    !isEqual(before.partitions, after.partitions)
  );
}

/** A declared `code_version` alone says when code changed; to begin or to cease declaring one changes no code. */
function isOtherCode(before: AssetNode, after: AssetNode): boolean {
  if (isDeclared(before) === isDeclared(after)) return before.codeVersion !== after.codeVersion;
  return before.code?.contentDigest !== after.code?.contentDigest;
}

function isDeclared({ codeVersion, code }: AssetNode): boolean {
  return codeVersion !== code?.contentDigest;
}

/**
 * What becomes of what was loaded, and what has to be loaded, if `after` takes the place of `before`: only what this change
 * brings about. What was missing, stale or orphaned before it is not told again. Sorted by asset.
 * @param written of each candidate (`impactCandidates`) by its `asset`
 */
export function partitionImpact(
  candidates: readonly ImpactCandidate[],
  written: (asset: string) => Written,
  now: Instant,
): PartitionImpact[] {
  const impact = candidates.map((candidate) => impactOf(candidate, written(candidate.asset), now));
  return impact.filter((one) => one !== null).sort((a, b) => (a.asset < b.asset ? -1 : 1));
}

function impactOf(
  { asset, before, after }: ImpactCandidate,
  written: Written,
  now: Instant,
): PartitionImpact | null {
  const [old, fresh] = [before?.partitions ?? null, after?.partitions ?? null];
  const writtenBefore = unionOfAll(written.before.map((one) => one.subset));
  if (after === null) {
    const orphaned = partitionSpans(old, writtenBefore);
    if (orphaned.count === 0) return null;
    return { asset, missing: NO_SPANS, stale: NO_SPANS, orphaned, command: null };
  }
  const writtenAfter = unionOfAll(written.after.map((one) => one.subset));
  const [hadBefore, has] = [existing(before, now), existing(after, now)];
  const change = before === null ? null : translateSubset(old, fresh, unionOf(hadBefore, writtenBefore));
  const went = before === null || change === null ? emptySubset : translateSubset(old, fresh, hadBefore).kept;
  const missing = minus(minus(has, went), writtenAfter);
  const stale = intersectionOf(
    has,
    unionOf(
      staleByCode(before, after, written),
      intersectionOf(change?.reshaped ?? emptySubset, writtenAfter),
    ),
  );
  const orphaned = intersectionOf(change?.gone ?? emptySubset, writtenBefore);
  if (isEmpty(missing) && isEmpty(stale) && isEmpty(orphaned)) return null;
  const isAllMissing = isEmpty(stale) && isSameSubset(missing, minus(has, writtenAfter));
  return {
    asset,
    missing: partitionSpans(fresh, missing),
    stale: partitionSpans(fresh, stale),
    orphaned: partitionSpans(old, orphaned),
    command: after.enabled ? backfillCommand(asset, fresh, unionOf(missing, stale), isAllMissing) : null,
  };
}

/** What was up to date before the change. */
function staleByCode(before: AssetNode | null, after: AssetNode, written: Written): PartitionSubset {
  if (before === null || !isOtherCode(before, after)) return emptySubset;
  const current = written.after.filter(({ codeVersion }) => codeVersion === before.codeVersion);
  return unionOfAll(current.map((one) => one.subset));
}

/** A disabled pipeline loads nothing, so nothing of it is missing. */
function existing(node: AssetNode | null, now: Instant): PartitionSubset {
  if (node === null || !node.enabled) return emptySubset;
  return everything(node.partitions ?? null, now);
}

function everything(definition: PartitionsDefinition | null, now: Instant): PartitionSubset {
  return definition === null ? rangeSubset(0, 1) : allPartitions(definition, now);
}
