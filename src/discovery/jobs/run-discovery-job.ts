import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CodeSource } from '../../git/code-source.ts';
import type { Diagnostic } from '../../lib/diagnostics.ts';
import { OperationalError } from '../../lib/errors.ts';
import type { Environment, Environments } from '../../runners/environment.ts';
import { assetsFromManifest } from '../dbt/manifest-assets.ts';
import { parsedManifest } from '../dbt/parsed-manifest.ts';
import type { DiscoveryJob, DiscoveryResult } from '../discover.ts';
import { assetsFromRecording, recordedRun, recordingDiagnostics } from '../dlt/recorded-run.ts';
import { jobEnvironment } from './job-environment.ts';
import type { PythonEnd } from './run-python.ts';
import { runPython } from './run-python.ts';
import type { Scratch } from './scratch.ts';
import { makeScratch } from './scratch.ts';

export interface DiscoveryJobDeps {
  readonly code: CodeSource;
  readonly environments: Environments;
  /** Folder for throw-away directories, on the machine's disk; made if it is missing. */
  readonly workRoot: string;
  /** Folder that holds the `elt_runner` package. */
  readonly runnerPackage: string;
  readonly signal: AbortSignal;
}

type Look = Exclude<DiscoveryJob['kind'], 'environment'>;

const SECONDS: Readonly<Record<Look, number>> = { dlt_recorded: 30, dbt_parse: 120 };

/**
 * Runs one background job: the folder's own environment, if it has to be built, and in it, network off and no secret, 30
 * seconds of a dlt script or 120 of `dbt parse`. What goes wrong in the user's code is a `failed` result with diagnostics. Rejects with `OperationalError`
 * for what is not the folder's fault (`GIT_CORRUPT`, `DISK_FULL`, `PYTHON_NOT_FOUND`), and with the signal's reason.
 */
export async function runDiscoveryJob(job: DiscoveryJob, deps: DiscoveryJobDeps): Promise<DiscoveryResult> {
  const treeDir = await deps.code.materialise(job.code);
  const environment = await ensureEnvironment(job, deps, treeDir);
  if (!('python' in environment)) return failed(job, [environment]);
  const { kind } = job;
  if (kind === 'environment') {
    return { ...base(job), status: 'complete', assets: [], diagnostics: [], envKey: environment.envKey };
  }
  await using scratch = await makeScratch(deps.workRoot, treeDir, Date.now());
  const end = await run(job, kind, deps, environment, scratch);
  const result = end.kind === 'answer' ? readAnswer(job, end.answer) : ended(job, kind, end);
  return { ...result, envKey: environment.envKey };
}

/** A requirement that cannot be met is the folder's mistake; no Python at all is not. */
async function ensureEnvironment(
  job: DiscoveryJob,
  deps: DiscoveryJobDeps,
  treeDir: string,
): Promise<Environment | Diagnostic> {
  try {
    return await deps.environments.ensure({ config: job.config.environment, treeDir }, deps.signal);
  } catch (error) {
    if (!(error instanceof OperationalError) || !isOfFolder(job, error)) throw error;
    const own = job.config.environment.requirements ?? 'dagster.yaml';
    return {
      code: error.code,
      severity: 'error',
      message: error.message,
      file: `${job.config.dir}/${own}`,
      line: 0,
      column: 0,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    };
  }
}

/** A network that is down, or a machine without any Python, may be another time. */
function isOfFolder({ kind, config }: DiscoveryJob, { code, next }: OperationalError): boolean {
  if (code === 'PYTHON_NOT_FOUND') return config.environment.python !== undefined;
  if (code !== 'ENVIRONMENT_FAILED' || next === 'retry') return false;
  return kind === 'environment' || config.environment.requirements !== undefined;
}

async function run(
  job: DiscoveryJob,
  kind: Look,
  deps: DiscoveryJobDeps,
  environment: Environment,
  scratch: Scratch,
): Promise<PythonEnd> {
  const { config } = job;
  const env = jobEnvironment(config, scratch);
  const options = { scratch, env, seconds: SECONDS[kind], signal: deps.signal };
  const script = (name: string): string => join(deps.runnerPackage, 'elt_runner', name);
  if (job.kind === 'dlt_recorded') {
    const dlt = config.dlt!;
    const request = {
      script: dlt.script,
      source_module: dlt.sourceModule ?? null,
      source_name: dlt.sourceName ?? null,
      source_args: dlt.sourceArgs,
    };
    return runPython(environment.python, script('discover_dlt.py'), request, options);
  }
  const dbt = config.dbt!;
  const profiles = await stat(join(scratch.workDir, 'profiles.yml')).catch(() => null);
  const request = {
    sets: dbt.assetSets.map(({ select, exclude }) => ({ select, exclude: exclude ?? null })),
    select: dbt.select ?? null,
    exclude: dbt.exclude ?? null,
    vars: dbt.vars,
    target: dbt.target ?? null,
  };
  const withProfiles = profiles === null ? env : { ...env, DBT_PROFILES_DIR: scratch.workDir };
  return runPython(environment.python, script('discover_dbt.py'), request, { ...options, env: withProfiles });
}

function readAnswer(job: DiscoveryJob, answer: unknown): DiscoveryResult {
  const { config } = job;
  if (job.kind === 'dlt_recorded') {
    const recording = recordedRun.parse(answer);
    const { assets, diagnostics: ofSettings } = assetsFromRecording(recording, config);
    const diagnostics = [...recordingDiagnostics(recording, config), ...ofSettings];
    // A script that is too far for a look ahead still told what it had to say.
    const useless = assets.length === 0 || diagnostics.some((one) => one.severity === 'error');
    if (useless && diagnostics.length === 0) {
      const message = `${config.dlt!.script} gives dlt nothing to load`;
      return failed(job, [
        finding(job, message, 'list the resources in dagster.yaml: dlt: { resources: […] }'),
      ]);
    }
    return useless ? failed(job, diagnostics) : { ...base(job), status: 'complete', assets, diagnostics };
  }
  const manifest = parsedManifest.parse(answer);
  if (manifest.error !== null) {
    const { kind, message, file, line } = manifest.error;
    const hint =
      kind === 'tool' ? 'add dbt-core and an adapter to requirements.txt' : 'dbt parse shows the same';
    const place = { file: `${config.dir}/${file ?? 'dbt_project.yml'}`, line, column: line === 0 ? 0 : 1 };
    return failed(job, [{ code: 'DBT_PROJECT_INVALID', severity: 'error', message, ...place, hint }]);
  }
  const { assets, diagnostics } = assetsFromManifest(manifest, config);
  return { ...base(job), status: 'complete', assets, diagnostics };
}

function ended(job: DiscoveryJob, kind: Look, end: Exclude<PythonEnd, { kind: 'answer' }>): DiscoveryResult {
  const limit = `${SECONDS[kind]} seconds`;
  const message =
    end.kind === 'timeout'
      ? `looking at the folder took longer than ${limit} and was stopped`
      : `the process that looked at the folder ended without an answer: ${end.how}`;
  const hint =
    job.kind === 'dbt_parse'
      ? 'dbt parse shows the same'
      : 'list the resources in dagster.yaml: dlt: { resources: […] }';
  return failed(job, [finding(job, message, hint)]);
}

function finding(job: DiscoveryJob, message: string, hint: string): Diagnostic {
  const { config, kind } = job;
  const name = kind === 'dbt_parse' ? 'dbt_project.yml' : config.dlt!.script;
  const severity = kind === 'dbt_parse' ? 'error' : 'warning';
  return {
    code: 'DISCOVERY_FAILED',
    severity,
    message,
    file: `${config.dir}/${name}`,
    line: 0,
    column: 0,
    hint,
  };
}

function failed(job: DiscoveryJob, diagnostics: readonly Diagnostic[]): DiscoveryResult {
  return { ...base(job), status: 'failed', assets: [], diagnostics };
}

function base(job: DiscoveryJob): Pick<DiscoveryResult, 'inputsDigest' | 'kind'> {
  return { inputsDigest: job.inputsDigest, kind: job.kind };
}
