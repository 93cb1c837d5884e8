import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { invariant } from '../../lib/invariant.ts';
import { isPathOfSecret, isSecretName, secretForms } from '../../lib/secret.ts';
import type { StepSpec } from '../../plan/step-spec.ts';
import { withChecks } from '../../runners/checks.ts';
import type { StepCommand } from '../../runners/runner.ts';
import { type StepEnd, StepErrorThrown, type StepMachine } from '../step-machine.ts';
import { childEnvironment } from './child-environment.ts';
import { partitionVariables } from './partition-variables.ts';
import { pipesVariables } from './pipes-variables.ts';
import { type StepDir, writePrivate } from './step-dir.ts';
import { laySecretFiles, removeSecretFiles, variablesOf } from './step-secrets.ts';
import type { SupervisedCommand, SupervisedLimits } from './supervisor.ts';
import type { WarmServer } from './warm/warm-server.ts';
import { layWorkDir } from './work-dir.ts';

export interface PreparedStep {
  readonly command: SupervisedCommand;
  readonly basePython: string;
  /** Path of `elt_supervise.py`. */
  readonly supervisor: string;
  readonly envKey: string;
  /** To be forked from; null: to be started. */
  readonly warm: WarmServer | null;
  /** Values to be masked. */
  readonly secrets: readonly string[];
  /** To be called once the attempt is over, or left to the next start of the service. */
  readonly release: (end: StepEnd) => void;
}

/**
 * Makes everything ready that an attempt needs: code, working directory, environment, variables, command.
 * Throws `StepErrorThrown` for what the user has to mend, `OperationalError` for what failed.
 */
export async function prepareStep(
  spec: StepSpec,
  dir: StepDir,
  machine: StepMachine,
  signal: AbortSignal,
): Promise<PreparedStep> {
  const { environments, places } = machine;
  const runner = machine.runners.get(spec.tool);
  invariant(runner !== undefined, `no runner for ${spec.tool}`);
  const [tree, basePython] = await Promise.all([
    machine.code.materialise(spec.code),
    environments.basePython(),
  ]);
  const environment = environments.ensure({ config: spec.config.environment, treeDir: tree }, signal);
  const sling = runner.needs.sling ? environments.sling(signal) : Promise.resolve(null);
  const tools = Promise.all([environment, sling]);
  // Awaited below; a failure before that must not count as unhandled.
  tools.catch(() => undefined);

  const workDir = places.work(spec.component, spec.pipeline);
  const stateDir = places.state(spec.component, spec.pipeline);
  const leaveDir = await machine.workDirs.hold(workDir, useOf(spec), signal);
  const release = releaser(spec, machine, leaveDir);
  try {
    for (const folder of [stateDir, places.shared]) mkdirSync(folder, { recursive: true });
    const manifest = places.manifest(spec.component, spec.pipeline);
    for (const { file } of layWorkDir(workDir, tree, spec.code.treeId, manifest))
      reportCollision(spec, dir, file);
    const secretFiles = laySecretFiles(machine.secretsDir, namesOf(spec), workDir);
    const given = givenVariables(spec, machine, tree);
    const tooling = await tools;
    const [{ envKey, python }, slingBinary] = tooling;
    const base = {
      ...given.env,
      PATH: [dirname(python), given.env['PATH']].filter((part) => part !== undefined).join(':'),
      HOME: dir.home,
      PYTHONUNBUFFERED: '1',
      // The folder's own modules would be cached beside their copies, by time and size only.
      PYTHONDONTWRITEBYTECODE: '1',
      ...stepVariables(spec, dir),
      ...partitionVariables(spec),
      ...pipesVariables(spec, dir.events),
    };
    const stepPlaces = {
      stepDir: dir.path,
      workDir,
      stateDir,
      treeDir: tree,
      python,
      sling: slingBinary,
      runnerPackage: machine.pythonDir,
      eventsFile: dir.events,
    };
    const toolCommand = await runner.command(spec, stepPlaces, base);
    const command = withChecks(spec, toolCommand, stepPlaces, machine.clock.now());
    for (const file of command.files) writePrivate(join(dir.path, file.name), file.content);
    const secrets = [...given.secrets, ...secretFiles, ...secretsOfCommand(command)];
    const env = { ...base, ...command.env };
    const warm =
      command.warm === undefined || machine.warmStarts === null
        ? null
        : await machine.warmStarts.serverFor({ tool: command.warm, envKey, python }, env, signal);
    return {
      basePython,
      supervisor: join(machine.pythonDir, 'elt_supervise.py'),
      envKey,
      warm,
      secrets,
      release,
      command: {
        argv: command.argv,
        cwd: workDir,
        env,
        cancelSignal: command.cancelSignal,
        graceMs: spec.graceMs,
        timeoutMs: spec.timeoutMs,
        leaseTtlMs: spec.ref.leaseTtlMs,
        limits: limitsOf(spec, dir, machine),
        secretForms: secretForms(secrets),
      },
    };
  } catch (error) {
    release('finished');
    throw error;
  }
}

/** What a pipeline's secret files can stand under: its name, or that of its folder. */
function namesOf({ pipeline, config }: StepSpec): readonly string[] {
  return [pipeline, config.name];
}

/** The place of a step that runs already: its working directory is in use, its secret files lie there. */
export function claimPlace(
  spec: StepSpec,
  machine: StepMachine,
): { readonly secrets: readonly string[]; readonly release: (end: StepEnd) => void } {
  const workDir = machine.places.work(spec.component, spec.pipeline);
  const leaveDir = machine.workDirs.join(workDir, useOf(spec));
  const secrets = laySecretFiles(machine.secretsDir, namesOf(spec), workDir);
  return { secrets, release: releaser(spec, machine, leaveDir) };
}

/** What was given to a step that runs already, to mask it in what the step still says. */
export async function secretsOf(spec: StepSpec, machine: StepMachine): Promise<readonly string[]> {
  try {
    return givenVariables(spec, machine, await machine.code.materialise(spec.code)).secrets;
  } catch (error) {
    if (!(error instanceof StepErrorThrown)) throw error;
    return [];
  }
}

/** What a step uses its working directory for: loads of one content share it, a look at its state or a drop has it alone. */
function useOf({ code, operation, ref }: StepSpec): string {
  return operation === undefined ? code.treeId : `${code.treeId} ${operation.kind} ${ref.runId}`;
}

function releaser(spec: StepSpec, machine: StepMachine, leaveDir: () => boolean): (end: StepEnd) => void {
  return (end) => {
    const isIdle = leaveDir();
    const workDir = machine.places.work(spec.component, spec.pipeline);
    if (isIdle && end !== 'left') removeSecretFiles(machine.secretsDir, workDir);
  };
}

function givenVariables(
  spec: StepSpec,
  machine: StepMachine,
  tree: string,
): { readonly env: Readonly<Record<string, string>>; readonly secrets: readonly string[] } {
  const result = childEnvironment({
    spec,
    environment: { ...variablesOf(machine.secretsDir), ...machine.environment },
    passEnv: machine.passEnv,
    tokenVariables: machine.tokenVariables ?? [],
    passed: machine.passedNames(spec, tree),
    sharedDir: machine.places.shared,
  });
  if (!result.ok) throw new StepErrorThrown(result.error);
  return result;
}

function stepVariables(spec: StepSpec, dir: StepDir): Record<string, string> {
  const { ref, assets } = spec;
  const keys = assets.map((asset) => asset.key);
  return {
    ELT_RUN_ID: ref.runId,
    ELT_STEP_KEY: ref.stepKey,
    ELT_STEP_ID: dir.stepId,
    ELT_PIPELINE: spec.pipeline,
    ELT_COMMIT: spec.code.commit,
    ELT_ATTEMPT: String(ref.attempt),
    ELT_RETRY_NUMBER: String(spec.retriesSpent),
    ELT_EVENTS_FILE: dir.events,
    ELT_ASSET_KEYS: JSON.stringify(keys),
    ...(keys.length === 1 ? { ELT_ASSET_KEY: keys[0]! } : {}),
  };
}

/** As the first lines of the stream, so that they have their numbers in it. */
function reportCollision(spec: StepSpec, dir: StepDir, file: string): void {
  const message =
    `FILE_COLLISION ${file}: a file that a run wrote stands where commit ${spec.code.commit.slice(0, 8)} has one; ` +
    `it was kept. To get the revision's, remove data/${spec.component}/${spec.pipeline}/${file}`;
  appendFileSync(dir.events, `${JSON.stringify({ type: 'log', level: 'warning', message })}\n`);
}

function limitsOf(
  { limits }: StepSpec,
  { stepId }: StepDir,
  { cgroups }: StepMachine,
): SupervisedLimits | null {
  if (limits === undefined) return null;
  return { ...limits, cgroup: cgroups.groupOf(stepId), cgroupProblem: cgroups.problem() };
}

function secretsOfCommand(command: StepCommand): string[] {
  return Object.entries(command.env).flatMap(([name, value]) =>
    isSecretName(name) && !isPathOfSecret(name, value) ? [value] : [],
  );
}
