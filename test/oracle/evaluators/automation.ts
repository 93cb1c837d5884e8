import type { AutomationCursor } from '../../../src/automation/cursor.ts';
import { evaluateAutomation } from '../../../src/automation/evaluate.ts';
import type { AutomationCondition } from '../../../src/definitions/automation-condition/condition.ts';
import { keysOf } from '../../../src/partitions/subset/subset-keys.ts';
import type { AssetScript } from '../../helpers/automation-world.ts';
import { AutomationWorld } from '../../helpers/automation-world.ts';
import type { Json, Mismatch } from '../oracle-case.ts';
import { Comparison } from '../oracle-case.ts';
import { readCondition } from '../read-condition.ts';
import { readDefinition, readMapping } from '../read-input.ts';

type Step = Json & { readonly at: string; readonly op: string };

interface Case {
  readonly assets: readonly Json[];
  readonly steps: readonly Step[];
  readonly quirk?: string;
  /** Only a made-up case has one: in the oracle's files the expectations stand in the steps. */
  readonly expected?: { readonly valid?: boolean };
}

/**
 * Plays a script and compares what each evaluation requests. A quirk departs from Dagster's own rule somewhere in the
 * script: either answer is right there, so only that it can be played is asked.
 */
export function evaluateAutomationCase({ assets, steps, quirk, expected }: Case): Mismatch[] {
  const comparison = new Comparison();
  const world = new AutomationWorld();
  for (const asset of assets) world.addAsset(readAsset(asset));
  if (expected?.valid !== undefined) comparison.equal('valid', expected.valid, true);
  let cursors: ReadonlyMap<string, AutomationCursor> = new Map();
  for (const step of steps) {
    const at = Date.parse(step.at);
    if (step.op !== 'evaluate') {
      play(world, step, at);
      continue;
    }
    const evaluation = evaluateAutomation({ graph: world.graph(), view: world.view(at), cursors });
    cursors = evaluation.cursors;
    const got: Record<string, string[] | null> = {};
    const gotChecks: string[] = [];
    for (const { asset, check, partitions, requested } of evaluation.results) {
      if (requested.bounds.length === 0) continue;
      if (check !== null) gotChecks.push(`${asset}:${check}`);
      else got[asset] = partitions === null ? null : [...keysOf(partitions, requested)].sort();
    }
    if (quirk !== undefined) continue;
    const expect = step.expect as { requested: Json; requested_checks?: unknown };
    comparison.equal(`requested at ${step.at}`, sorted(expect.requested), sorted(got));
    if (expect.requested_checks !== undefined) {
      comparison.sameSet(`checks requested at ${step.at}`, checkNames(expect.requested_checks), gotChecks);
    }
  }
  return comparison.mismatches;
}

function play(world: AutomationWorld, step: Step, at: number): void {
  const asset = step.asset as string;
  switch (step.op) {
    case 'materialize': {
      const partitions = (step.partitions ?? [step.partition ?? null]) as (string | null)[];
      for (const partition of partitions) {
        world.materialize(asset, partition, at, (step.data_version ?? null) as string | null);
      }
      return;
    }
    case 'check_result':
      world.checkResult(asset, step.check as string, step.passed as boolean, at);
      return;
    case 'run_start':
      world.startRun(step.run as string, step.assets as string[], (step.partition ?? null) as string | null);
      return;
    case 'run_materialize':
      world.writeInRun(step.run as string, asset, at);
      return;
    case 'run_finish':
      world.finishRun(step.run as string, step.status as 'success' | 'failure' | 'canceled');
      return;
    case 'set':
      world.setAsset(asset, readFields(step.fields as Json));
      return;
    case 'add_asset':
      world.addAsset(readAsset(step.definition as Json));
      return;
    case 'remove_asset':
      world.removeAsset(asset);
      return;
    case 'wipe':
      world.wipe(asset);
      return;
    default:
      throw new Error(`the oracle has a step of an unknown kind: ${step.op}`);
  }
}

function readAsset(definition: Json): AssetScript {
  return {
    key: definition.key as string,
    deps: [],
    partitions: null,
    condition: null,
    codeVersion: null,
    checks: [],
    external: false,
    ...readFields(definition),
  };
}

function readFields(fields: Json): Partial<AssetScript> {
  const { deps, partitions, condition, checks, code_version: codeVersion, external } = fields;
  return {
    ...(deps === undefined ? {} : { deps: (deps as (string | Json)[]).map(readDep) }),
    ...(partitions === undefined
      ? {}
      : { partitions: partitions === null ? null : readDefinition(partitions as Json) }),
    ...(condition === undefined ? {} : { condition: conditionOf(condition) }),
    ...(codeVersion === undefined ? {} : { codeVersion: codeVersion as string | null }),
    ...(external === undefined ? {} : { external: external as boolean }),
    ...(checks === undefined
      ? {}
      : {
          checks: (checks as Json[]).map(({ name, blocking, condition: ofCheck }) => ({
            name: name as string,
            blocking: blocking === true,
            condition: conditionOf(ofCheck),
          })),
        }),
  };
}

function readDep(dep: string | Json): AssetScript['deps'][number] {
  if (typeof dep === 'string') return { key: dep };
  const mapping = dep.mapping as Json | null | undefined;
  return mapping == null
    ? { key: dep.asset as string }
    : { key: dep.asset as string, mapping: readMapping(mapping) };
}

function conditionOf(condition: unknown): AutomationCondition | null {
  return condition == null ? null : readCondition(condition as Json);
}

/** Names as a list, or by asset, or as keys of an object. */
function checkNames(expected: unknown): string[] {
  if (Array.isArray(expected)) {
    return expected.map((one: string | { asset: string; check?: string; name?: string }) =>
      typeof one === 'string' ? one : `${one.asset}:${one.check ?? one.name}`,
    );
  }
  return Object.entries(expected as Json).flatMap(([key, names]) =>
    Array.isArray(names) ? names.map((name) => `${key}:${String(name)}`) : [key],
  );
}

function sorted(requested: Json): unknown {
  const entries = Object.entries(requested).map(([key, keys]) => [
    key,
    Array.isArray(keys) ? (keys as string[]).toSorted((a, b) => (a < b ? -1 : 1)) : keys,
  ]);
  return Object.fromEntries(entries);
}
