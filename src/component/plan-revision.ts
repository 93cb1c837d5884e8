import { buildDefinitions, type DefinitionsSource } from '../definitions/build.ts';
import type { Definitions } from '../definitions/definitions.ts';
import { isAside } from '../discovery/content-digest.ts';
import type { Clock } from '../lib/clock.ts';
import { compareDiagnostics, type Diagnostic } from '../lib/diagnostics.ts';
import { definitionsDiff } from '../plan/revision-plan/definitions-diff.ts';
import { pairPipelines } from '../plan/revision-plan/moves.ts';
import {
  type ImpactCandidate,
  impactCandidates,
  partitionImpact,
  type Written,
} from '../plan/revision-plan/partition-impact.ts';
import { tickForecast } from '../plan/revision-plan/tick-forecast.ts';
import type { DefinitionChange, RevisionPlan } from '../plan/revision-plan.ts';
import type { PipelineState, Snapshot } from '../state/snapshot.ts';
import type { Store } from '../store/store.ts';
import type { PlanTarget } from './control.ts';
import { openPlanSide, type PlanSide, type PlanSideDeps, servedSide } from './plan-side.ts';

export interface PlanRevisionDeps extends PlanSideDeps {
  readonly store: Pick<Store, 'components' | 'assets' | 'schedules'>;
  readonly clock: Clock;
  /** What all components serve, this one included, in their order. */
  readonly sources: readonly DefinitionsSource[];
}

const FORECAST_MS = 7 * 24 * 3_600_000;
/** Pipelines whose changed files are named. */
const MOST_LISTED = 50;
/** Files with diagnostics whose text is handed out. */
const MOST_TEXTS = 50;

/**
 * What going from one state of a component to another would change: definitions, ticks of the next 7 days, partitions.
 * Reads only: nothing of either state is run, no environment and no tree is made, nothing is applied (law 10).
 * Throws `REVISION_NOT_FOUND`, `PIPELINES_DIRECTORY_MISSING`, `REQUEST_INVALID` and Git's errors.
 */
export async function planRevision(
  deps: PlanRevisionDeps,
  target: PlanTarget,
  from?: PlanTarget,
): Promise<RevisionPlan> {
  const served = servedSide(deps);
  const before = from === undefined ? served : await openPlanSide(deps, from, deps.served?.snapshot ?? null);
  try {
    const after = await openPlanSide(deps, target, before?.snapshot ?? null);
    try {
      return await compare(deps, before, after);
    } finally {
      await after.close();
    }
  } finally {
    await before?.close();
  }
}

async function compare(
  deps: PlanRevisionDeps,
  before: PlanSide | null,
  after: PlanSide,
): Promise<RevisionPlan> {
  const { settings, store, clock } = deps;
  const now = clock.now();
  const [old, fresh] = [definitionsWith(deps, before), definitionsWith(deps, after)];
  const [definitionsBefore, definitionsAfter] = [old.definitions, fresh.definitions];
  const overrides = new Map(
    (await store.schedules.states()).map(({ schedule, override }) => [schedule, override]),
  );
  const candidates = impactCandidates(definitionsBefore, definitionsAfter);
  const written = await writtenOf(store, candidates);
  const names = new Set(after.snapshot.pipelines.map(({ name }) => name));
  const diagnostics = [
    ...after.snapshot.diagnostics,
    ...fresh.diagnostics.filter(({ pipeline }) => names.has(pipeline ?? '')),
  ].sort(compareDiagnostics);
  const to = now + FORECAST_MS;
  const changes = definitionsDiff(definitionsBefore, definitionsAfter);
  return {
    component: settings.name,
    from: { commit: before?.commit ?? '', revisionId: before?.revisionId ?? null },
    to: { commit: after.commit, revisionId: after.revisionId, label: after.label },
    changes: await withFiles(changes, definitionsBefore, definitionsAfter, before, after),
    ticks: {
      from: now,
      to,
      schedules: tickForecast(
        definitionsBefore,
        definitionsAfter,
        now,
        to,
        (schedule) => overrides.get(schedule) ?? null,
      ),
    },
    impact: partitionImpact(candidates, (asset) => written.get(asset) ?? { before: [], after: [] }, now),
    diagnostics,
    held: after.snapshot.pipelines.filter(({ status }) => status === 'held').map(({ name }) => name),
    notes: [...after.notes, ...moveNotes(definitionsBefore, definitionsAfter)],
    texts: await textsOf(after, diagnostics),
  };
}

/** The definitions of all components, with this one in the given state. */
function definitionsWith(
  { settings, sources, served }: PlanRevisionDeps,
  side: PlanSide | null,
): ReturnType<typeof buildDefinitions> {
  const own = (snapshot: Snapshot): DefinitionsSource => ({
    component: settings.name,
    revisionId: side?.revisionId ?? 0,
    snapshot,
  });
  const others = sources.filter(({ component }) => component !== settings.name);
  const place = served === null ? others.length : sources.findIndex((one) => one.component === settings.name);
  const state = side === null ? [] : [own(side.snapshot)];
  return buildDefinitions([...others.slice(0, place), ...state, ...others.slice(place)]);
}

async function writtenOf(
  store: Pick<Store, 'assets'>,
  candidates: readonly ImpactCandidate[],
): Promise<ReadonlyMap<string, Written>> {
  const written = new Map<string, Written>();
  for (const { asset, storedAs, before, after } of candidates) {
    const [old, fresh] = [before?.partitions ?? null, after?.partitions ?? null];
    const of = async (definition: typeof old) => store.assets.writtenWith(storedAs, definition);
    const first = before === null ? [] : await of(old);
    const isSame = before !== null && JSON.stringify(old) === JSON.stringify(fresh);
    written.set(asset, { before: first, after: after === null ? [] : isSame ? first : await of(fresh) });
  }
  return written;
}

/** Says of other code which files it is; where only settings of `dagster.yaml` make it other code, they say it themselves. */
async function withFiles(
  changes: readonly DefinitionChange[],
  before: Definitions,
  after: Definitions,
  from: PlanSide | null,
  to: PlanSide,
): Promise<DefinitionChange[]> {
  if (from === null) return [...changes];
  const pairs = new Map(pairPipelines(before, after).map((pair) => [pair.after?.name, pair]));
  let listed = 0;
  const told: DefinitionChange[] = [];
  for (const change of changes) {
    const pair = change.kind === 'pipeline' ? pairs.get(change.key) : undefined;
    const code = change.fields.find(({ field }) => field === 'code');
    if (pair?.before == null || pair.after === null || code === undefined || listed >= MOST_LISTED) {
      told.push(change);
      continue;
    }
    listed += 1;
    const files = await changedFiles(from, pair.before, to, pair.after);
    const others = change.fields.filter((field) => field !== code);
    if (files === null) told.push(change);
    else if (files.length > 0) told.push({ ...change, fields: [...others, { ...code, files }] });
    else if (others.length > 0) told.push({ ...change, fields: others });
    else told.push(change);
  }
  return told;
}

/** `+ a.py`, `- b.py`, `~ c.py`. */
async function changedFiles(
  from: PlanSide,
  before: PipelineState,
  to: PlanSide,
  after: PipelineState,
): Promise<readonly string[] | null> {
  const of = async ({ code }: PipelineState, one: PlanSide, other: PlanSide) =>
    (await one.filesOf(code)) ?? other.filesOf(code);
  const [old, now] = await Promise.all([of(before, to, from), of(after, to, from)]);
  if (old === null || now === null) return null;
  const files: string[] = [];
  for (const path of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const [a, b] = [old.get(path), now.get(path)];
    if (a === b || isAside(path)) continue;
    files.push(`${a === undefined ? '+' : b === undefined ? '-' : '~'} ${path}`);
  }
  return files;
}

function moveNotes(before: Definitions, after: Definitions): string[] {
  return pairPipelines(before, after).flatMap(({ before: old, after: now, move }) =>
    move === 'guessed' && old !== null && now !== null && old.name !== now.name
      ? [
          `${now.code.dir} looks like ${old.code.dir} moved: with "moved_from: ${old.code.dir}" in its dagster.yaml it keeps its history, its partitions and the state of its schedule`,
        ]
      : [],
  );
}

async function textsOf(
  side: PlanSide,
  diagnostics: readonly Diagnostic[],
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const files = new Set(diagnostics.filter(({ line }) => line > 0).map(({ file }) => file));
  for (const file of [...files].slice(0, MOST_TEXTS)) {
    const text = await side.readFile(file);
    if (text !== null) texts.set(file, text);
  }
  return texts;
}
