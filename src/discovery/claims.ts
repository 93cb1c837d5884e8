import type { Diagnostic } from '../lib/diagnostics.ts';
import type { PipelineState } from '../state/snapshot.ts';
import type { FolderOutcome } from './discover.ts';

/**
 * Two folders that claim one pipeline name or one asset key: both are told, the older holder keeps it and the other folder
 * is refused (fault C2). Without a history the first one by path is the older.
 * @param previous what was served before, held folders included
 * @param present folders of this commit: a holder that is gone holds nothing
 */
export function settleClaims(
  outcomes: readonly FolderOutcome[],
  previous: readonly PipelineState[],
  present: ReadonlySet<string>,
): FolderOutcome[] {
  const served = previous.filter((state) => present.has(state.config.dir));
  const nameHolders = new Map(served.map((state) => [state.name, state.config.dir]));
  const afterNames = settle(
    outcomes,
    (outcome) => (outcome.ok ? [outcome.state.name] : []),
    nameHolders,
    'PIPELINE_DUPLICATE',
    (name, other) => `the pipeline name "${name}" belongs to ${other}`,
  );
  const keyHolders = new Map<string, string>();
  const fresh = new Map(
    afterNames.flatMap((one) => (one.ok ? [[one.state.config.dir, one.state] as const] : [])),
  );
  for (const state of served) {
    // A folder that is fine now holds what it claims now; a broken one goes on serving what it had.
    for (const { key } of (fresh.get(state.config.dir) ?? state).assets) {
      if (state.assets.some((asset) => asset.key === key)) keyHolders.set(key, state.config.dir);
    }
  }
  return settle(
    afterNames,
    (outcome) => (outcome.ok ? outcome.state.assets.map((asset) => asset.key) : []),
    keyHolders,
    'ASSET_DUPLICATE',
    (key, other) => `the asset key "${key}" belongs to ${other}`,
  );
}

function settle(
  outcomes: readonly FolderOutcome[],
  claimsOf: (outcome: FolderOutcome) => readonly string[],
  holders: ReadonlyMap<string, string>,
  code: 'PIPELINE_DUPLICATE' | 'ASSET_DUPLICATE',
  message: (claim: string, other: string) => string,
): FolderOutcome[] {
  const winners = new Map(holders);
  for (const outcome of outcomes.toSorted((a, b) => compare(dirOf(a), dirOf(b)))) {
    for (const claim of claimsOf(outcome)) if (!winners.has(claim)) winners.set(claim, dirOf(outcome));
  }
  const contested = new Map<string, string>();
  const refused = new Map<string, { claim: string; winner: string }>();
  for (const outcome of outcomes) {
    const dir = dirOf(outcome);
    for (const claim of claimsOf(outcome)) {
      const winner = winners.get(claim)!;
      if (winner === dir) continue;
      contested.set(winner, dir);
      if (!refused.has(dir)) refused.set(dir, { claim, winner });
    }
  }
  if (refused.size === 0) return [...outcomes];
  return outcomes.map((outcome) => {
    const dir = dirOf(outcome);
    const lost = refused.get(dir);
    const hint = 'rename one of the two; the older one keeps the name';
    if (lost !== undefined) {
      const diagnostic = told(outcome, 'error', code, message(lost.claim, lost.winner), hint);
      const name = outcome.ok ? outcome.state.name : outcome.name;
      return { ok: false, name, dir, diagnostics: [...outcome.diagnostics, diagnostic] };
    }
    const rival = contested.get(dir);
    if (rival === undefined) return outcome;
    const diagnostic = told(outcome, 'warning', code, `${rival} claims a name of this folder too`, hint);
    return { ...outcome, diagnostics: [...outcome.diagnostics, diagnostic] };
  });
}

function told(
  outcome: FolderOutcome,
  severity: Diagnostic['severity'],
  code: string,
  message: string,
  hint: string,
): Diagnostic {
  const name = outcome.ok ? outcome.state.name : outcome.name;
  const source = outcome.ok ? outcome.state.config.source : { file: dirOf(outcome), line: 0, column: 0 };
  const { file, line, column } = source;
  return { code, severity, message, file, line, column, hint, pipeline: name };
}

function dirOf(outcome: FolderOutcome): string {
  return outcome.ok ? outcome.state.config.dir : outcome.dir;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
