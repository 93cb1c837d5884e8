import type {
  AssetView,
  AssetWrite,
  AutomationView,
  CheckResult,
  CheckView,
} from '../../src/automation/asset-view.ts';
import type {
  AutomationAsset,
  AutomationCheck,
  AutomationGraph,
} from '../../src/automation/automation-graph.ts';
import type { AutomationCondition } from '../../src/definitions/automation-condition/condition.ts';
import { keyToOrdinal } from '../../src/partitions/definition/key-order.ts';
import type { PartitionsDefinition } from '../../src/partitions/definition/partitions-definition.ts';
import { defaultMapping } from '../../src/partitions/mapping/default-mapping.ts';
import { unpartitioned } from '../../src/partitions/mapping/map-partitions.ts';
import type { PartitionMapping } from '../../src/partitions/mapping/partition-mapping.ts';
import type { PartitionSubset } from '../../src/partitions/subset/partition-subset.ts';
import { emptySubset, subsetOfOrdinals } from '../../src/partitions/subset/partition-subset.ts';

/** An asset of a scripted world. */
export interface AssetScript {
  readonly key: string;
  readonly deps: readonly { readonly key: string; readonly mapping?: PartitionMapping }[];
  readonly partitions: PartitionsDefinition | null;
  readonly condition: AutomationCondition | null;
  readonly codeVersion: string | null;
  readonly checks: readonly AutomationCheck[];
  /** Nobody here makes it: writes come from outside any run. */
  readonly external: boolean;
}

interface Write {
  readonly partition: string | null;
  readonly eventId: number;
  readonly at: number;
  readonly runId: string | null;
  readonly codeVersion: string | null;
  readonly dataVersion: string | null;
}

interface Run {
  readonly id: string;
  readonly assets: readonly string[];
  readonly partition: string | null;
  readonly plannedAt: number;
  status: 'running' | 'success' | 'failure' | 'canceled';
}

interface Result {
  readonly passed: boolean;
  readonly eventId: number;
  readonly at: number;
}

/**
 * A world that is told what happens, event by event, and shows itself to an evaluation as the store does: the scripts of
 * the oracle and of tests play in it.
 */
export class AutomationWorld {
  readonly #assets = new Map<string, AssetScript>();
  readonly #writes = new Map<string, Write[]>();
  readonly #results = new Map<string, Result[]>();
  readonly #changed = new Map<string, number>();
  readonly #runs: Run[] = [];
  #eventId = 0;
  #graph: AutomationGraph | null = null;

  addAsset(asset: AssetScript): void {
    this.#assets.set(asset.key, asset);
    this.#graph = null;
  }

  setAsset(key: string, fields: Partial<AssetScript>): void {
    this.addAsset({ ...this.#asset(key), ...fields });
  }

  removeAsset(key: string): void {
    this.#assets.delete(key);
    this.#graph = null;
  }

  /** A write by a run of its own, which succeeds at once; of an external asset by nobody. */
  materialize(asset: string, partition: string | null, at: number, dataVersion: string | null = null): void {
    if (this.#asset(asset).external) {
      this.#write(asset, partition, at, null, dataVersion);
      return;
    }
    const id = `own-${this.#eventId}`;
    this.startRun(id, [asset], partition);
    this.#write(asset, partition, at, id, dataVersion);
    this.finishRun(id, 'success');
  }

  checkResult(asset: string, check: string, passed: boolean, at: number): void {
    const results = this.#results.get(`${asset}:${check}`) ?? [];
    results.push({ passed, eventId: this.#touch(asset), at });
    this.#results.set(`${asset}:${check}`, results);
  }

  startRun(id: string, assets: readonly string[], partition: string | null): void {
    const plannedAt = this.#eventId + 1;
    for (const asset of assets) this.#touch(asset);
    this.#runs.push({ id, assets, partition, plannedAt, status: 'running' });
  }

  writeInRun(id: string, asset: string, at: number): void {
    this.#write(asset, this.#run(id).partition, at, id, null);
  }

  finishRun(id: string, status: 'success' | 'failure' | 'canceled'): void {
    const run = this.#run(id);
    run.status = status;
    for (const asset of run.assets) this.#touch(asset);
  }

  /** Forgets every write of an asset, and what runs did to it. */
  wipe(asset: string): void {
    this.#writes.delete(asset);
    for (const [index, run] of this.#runs.entries()) {
      this.#runs[index] = { ...run, assets: run.assets.filter((key) => key !== asset) };
    }
    this.#touch(asset);
  }

  /** The same object until a definition changes. */
  graph(): AutomationGraph {
    this.#graph ??= buildGraph(this.#assets);
    return this.#graph;
  }

  view(now: number): AutomationView {
    return {
      now,
      eventId: this.#eventId,
      changedAt: (asset) => this.#changed.get(asset) ?? 0,
      asset: (asset) => this.#view(asset),
      check: (asset, name) => this.#checkView(asset, name),
      runTargets: (runId, entity) =>
        this.#runs.some(({ id, assets }) => id === runId && assets.includes(entity)),
    };
  }

  #view(key: string): AssetView {
    const { partitions } = this.#asset(key);
    const writes = this.#writes.get(key) ?? [];
    const subset = (keys: Iterable<string | null>): PartitionSubset => subsetOf(partitions, keys);
    const last = new Map<string | null, Write>(writes.map((write) => [write.partition, write]));
    const running = new Set<string | null>();
    const failed = new Set<string | null>();
    for (const run of this.#runs) {
      if (!run.assets.includes(key)) continue;
      const written = writes.some(({ runId, partition }) => runId === run.id && partition === run.partition);
      if (run.status === 'running' && !written) running.add(run.partition);
      const newest = last.get(run.partition);
      if (run.status === 'failure' && (newest === undefined || newest.eventId < run.plannedAt)) {
        failed.add(run.partition);
      } else {
        failed.delete(run.partition);
      }
    }
    return {
      materialized: subset(last.keys()),
      inProgress: subset(running),
      executionFailed: subset(failed),
      backfillInProgress: emptySubset,
      writesSince: (eventId) =>
        [...last.values()]
          .filter((write) => write.eventId > eventId)
          .map((write): AssetWrite => {
            const { partition, dataVersion } = write;
            const before = writes.findLast((one) => one.partition === partition && one.eventId <= eventId);
            const dataChanged = dataVersion === null || before?.dataVersion !== dataVersion;
            return { ...write, partitions: subset([partition]), dataChanged };
          }),
    };
  }

  #checkView(asset: string, name: string): CheckView {
    const results = this.#results.get(`${asset}:${name}`) ?? [];
    const newest = results.at(-1);
    const write = this.#writes.get(asset)?.at(-1);
    const counts = newest !== undefined && (write === undefined || write.eventId < newest.eventId);
    const when = (holds: boolean): PartitionSubset => (holds ? unpartitioned : emptySubset);
    return {
      partitioned: false,
      passed: when(counts && newest.passed),
      failed: when(counts && !newest.passed),
      inProgress: emptySubset,
      executionFailed: emptySubset,
      resultsSince: (eventId): CheckResult[] =>
        results
          .filter((result) => result.eventId > eventId)
          .map((result) => ({ ...result, partitions: unpartitioned, runId: null })),
    };
  }

  #write(
    asset: string,
    partition: string | null,
    at: number,
    runId: string | null,
    dataVersion: string | null,
  ): void {
    const writes = this.#writes.get(asset) ?? [];
    const { codeVersion } = this.#asset(asset);
    writes.push({ partition, eventId: this.#touch(asset), at, runId, codeVersion, dataVersion });
    this.#writes.set(asset, writes);
  }

  #touch(asset: string): number {
    this.#eventId += 1;
    this.#changed.set(asset, this.#eventId);
    return this.#eventId;
  }

  #asset(key: string): AssetScript {
    return this.#assets.get(key) ?? externalAsset(key);
  }

  #run(id: string): Run {
    const run = this.#runs.find((one) => one.id === id);
    if (run === undefined) throw new Error(`the script has no run ${id}`);
    return run;
  }
}

function subsetOf(partitions: PartitionsDefinition | null, keys: Iterable<string | null>): PartitionSubset {
  const list = [...keys];
  if (partitions === null) return list.includes(null) ? unpartitioned : emptySubset;
  const ordinals = list.map((key) => (key === null ? null : keyToOrdinal(partitions, key)));
  return subsetOfOrdinals(ordinals.filter((ordinal) => ordinal !== null));
}

/** What is only named as a dependency. */
function externalAsset(key: string): AssetScript {
  const nothing = { deps: [], partitions: null, condition: null, codeVersion: null, checks: [] };
  return { key, ...nothing, external: true };
}

function buildGraph(defined: ReadonlyMap<string, AssetScript>): AutomationGraph {
  const scripts = new Map(defined);
  for (const { deps } of defined.values()) {
    for (const { key } of deps) if (!scripts.has(key)) scripts.set(key, externalAsset(key));
  }
  const assets = new Map<string, AutomationAsset>();
  for (const script of scripts.values()) {
    assets.set(script.key, {
      ...script,
      deps: script.deps.map(({ key, mapping }) => ({
        key,
        mapping: mapping ?? defaultMapping(scripts.get(key)?.partitions ?? null, script.partitions),
      })),
      downstream: [...scripts.values()]
        .filter(({ deps }) => deps.some(({ key }) => key === script.key))
        .map(({ key }) => key),
    });
  }
  const order: string[] = [];
  const placed = new Set<string>();
  const place = (key: string): void => {
    if (placed.has(key) || !assets.has(key)) return;
    placed.add(key);
    for (const dep of assets.get(key)?.deps ?? []) place(dep.key);
    order.push(key);
  };
  for (const key of [...assets.keys()].sort()) place(key);
  return {
    assets,
    order,
    select: (selection) => new Set(assets.has(selection) ? [selection] : []),
  };
}
