import type { PartitionSubset } from '../../partitions/subset/partition-subset.ts';
import { emptySubset, isEmpty, minus, unionOfAll } from '../../partitions/subset/partition-subset.ts';
import type { AssetWrite } from '../asset-view.ts';
import type { Entity, RootScope } from '../evaluation.ts';
import { momentOf, present } from '../evaluation.ts';
import type { When } from '../moment.ts';
import { stamped, stampsWithin } from '../moment.ts';
import { stateId } from '../watch.ts';

type Write = Pick<AssetWrite, 'partitions' | 'eventId' | 'at' | 'runId'>;

/** Writes (of a check: results) since the previous evaluation; none at the first. */
function newWrites(root: RootScope, entity: Entity): readonly Write[] {
  return root.cursor === null ? [] : writesAfter(root, entity, root.cursor.eventId);
}

function writesAfter({ scope }: RootScope, { asset, check }: Entity, eventId: number): readonly Write[] {
  if (scope.view.changedAt(asset.key) <= eventId) return [];
  return check === null
    ? scope.view.asset(asset.key).writesSince(eventId)
    : scope.view.check(asset.key, check.name).resultsSince(eventId);
}

export function newlyUpdated(root: RootScope, entity: Entity): PartitionSubset {
  return unionOfAll(newWrites(root, entity).map(({ partitions }) => partitions));
}

export function whenUpdated(root: RootScope, entity: Entity, within: PartitionSubset): When {
  const stamps = newWrites(root, entity).map((write) => ({
    ...momentOf(root, write),
    partitions: write.partitions,
  }));
  return { stamps: stampsWithin(stamps, within), timeless: emptySubset };
}

/** Written since the previous evaluation with data that is not known to be the same. */
export function dataVersionChanged(root: RootScope, { asset, check }: Entity): PartitionSubset {
  if (root.cursor === null || check !== null) return emptySubset;
  const writes = root.scope.view.asset(asset.key).writesSince(root.cursor.eventId);
  return unionOfAll(writes.filter(({ dataChanged }) => dataChanged).map(({ partitions }) => partitions));
}

/** Last written by a run that also targets what the whole condition is about. */
export function executedWithRootTarget(
  root: RootScope,
  entity: Entity,
  candidates: PartitionSubset,
): PartitionSubset {
  const recent = newWrites(root, entity);
  const covered = unionOfAll(recent.map(({ partitions }) => partitions));
  const writes = isEmpty(minus(candidates, covered)) ? recent : writesAfter(root, entity, 0);
  const together = writes.filter(
    ({ runId }) => runId !== null && root.scope.view.runTargets(runId, root.entity.key),
  );
  return unionOfAll(together.map(({ partitions }) => partitions));
}

/** The code version differs from the one that the previous evaluation saw. */
export function codeVersionChanged(
  root: RootScope,
  condition: Parameters<typeof stateId>[0],
  { key, asset, check }: Entity,
  candidates: PartitionSubset,
): PartitionSubset {
  if (check !== null) return emptySubset;
  const id = `${stateId(condition)} ${key}`;
  const before = root.cursor?.states.get(id);
  const codeVersion = asset.codeVersion;
  root.states.set(id, { entity: key, partitions: null, subset: emptySubset, codeVersion });
  return before === undefined || before.codeVersion === codeVersion ? emptySubset : candidates;
}

/** As of now, but for what has been written with the new code already: that is older than its own write. */
export function whenCodeChanged(root: RootScope, { asset }: Entity, within: PartitionSubset): When {
  const writes =
    root.cursor === null ? [] : root.scope.view.asset(asset.key).writesSince(root.cursor.eventId);
  const done = stamped(
    stampsWithin(
      writes.filter(({ codeVersion }) => codeVersion === asset.codeVersion),
      within,
    ),
  );
  const open = minus(within, done);
  return {
    stamps: isEmpty(open) ? [] : [{ ...present(root.scope), partitions: open, needsOwnRun: true as const }],
    timeless: done,
  };
}
