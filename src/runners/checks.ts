import { join } from 'node:path';
import type { CheckConfig } from '../discovery/pipeline-config.ts';
import type { TimeWindow } from '../partitions/instant.ts';
import type { PlannedAsset } from '../plan/run-plan.ts';
import type { StepSpec } from '../plan/step-spec.ts';
import { runnerArgv } from './python-env.ts';
import type { StepCommand, StepPlaces } from './runner.ts';
import { partitionsOfStep } from './step-partitions.ts';

/** What `python/elt_runner/checked_runner.py` is asked to do; written as JSON into the step directory. */
interface ChecksRequest {
  readonly tool: string;
  /** The tool's own argv; null: everything is written and only the checks are left. */
  readonly command: readonly string[] | null;
  /** Keys of the assets that the command writes. */
  readonly written: readonly string[];
  readonly assets: readonly { readonly key: string; readonly checks: readonly CheckConfig[] }[];
  /** For placeholders in the user's SQL. Times are UTC. */
  readonly partitions: readonly PartitionValues[];
  readonly span: { readonly start: string; readonly end: string } | null;
  readonly known_file: string;
  readonly state_dir: string;
  readonly statement_seconds: number;
}

interface PartitionValues {
  readonly partition_key: string;
  readonly start: string | null;
  readonly end: string | null;
}

/** A query of a check that runs longer is ended, and the check has failed. */
const STATEMENT_SECONDS = 300;
const REQUEST_FILE = 'checks.json';

/** Whether a step has checks of `dagster.yaml` to run: of what it writes now, and of what its earlier attempts wrote. */
export function hasDeclaredChecks(spec: StepSpec): boolean {
  return checkedAssets(spec).length > 0;
}

/**
 * The command of a step that has declared checks: the tool's command, then the checks, in one process tree under one
 * supervisor. Without such checks it is the tool's command itself. Pure.
 * @param now epoch milliseconds
 */
export function withChecks(
  spec: StepSpec,
  command: StepCommand,
  places: StepPlaces,
  now: number,
): StepCommand {
  const assets = checkedAssets(spec);
  if (assets.length === 0) return command;
  const { each, span } = partitionsOfStep(spec, now);
  const stateDir = join(places.stateDir, 'checks');
  const request: ChecksRequest = {
    tool: spec.tool,
    command: spec.assets.length === 0 ? null : command.argv,
    written: spec.assets.map((asset) => asset.key),
    assets: assets.map(({ key, declaredChecks = [] }) => ({ key, checks: declaredChecks })),
    partitions: each.map(({ key, window }) => ({
      partition_key: key,
      start: null,
      end: null,
      ...sqlWindow(window),
    })),
    span: sqlWindow(span),
    known_file: join(stateDir, 'written.json'),
    state_dir: stateDir,
    statement_seconds: STATEMENT_SECONDS,
  };
  return {
    ...command,
    argv: runnerArgv(places, 'checked', REQUEST_FILE),
    env: { ...command.env, ELT_TARGETS_FILE: join(places.stepDir, 'targets.json') },
    files: [...command.files, { name: REQUEST_FILE, content: JSON.stringify(request) }],
  };
}

function checkedAssets(spec: StepSpec): readonly PlannedAsset[] {
  return [...(spec.written ?? []), ...spec.assets].filter(
    ({ declaredChecks }) => declaredChecks !== undefined && declaredChecks.length > 0,
  );
}

function sqlWindow(window: TimeWindow | null): { readonly start: string; readonly end: string } | null {
  return window === null ? null : { start: sqlTime(window.start), end: sqlTime(window.end) };
}

/**
 * `2026-01-05 08:00:00`, which every database compares with its own types; midnight as `2026-01-05`, so that it also stands
 * right before the texts of that day where times and dates are texts (SQLite).
 */
function sqlTime(instant: number): string {
  return new Date(instant).toISOString().slice(0, 19).replace('T', ' ').replace(' 00:00:00', '');
}
