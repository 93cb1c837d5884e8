import { join } from 'node:path';
import type { BuildStage } from './build-directory.ts';

export interface BuildPlan {
  readonly directory: string;
  readonly lockFile: string;
  /** Base interpreter, absolute. */
  readonly python: string;
  /** null: uv cannot be had, and Python's own venv and pip do its work. */
  readonly uv: string | null;
  /** Every line of the lock carries a digest, and an installation without one is refused. */
  readonly hashed: boolean;
  readonly compileBytecode: boolean;
  /** Packages without a wheel are built, which runs code of theirs. */
  readonly sourceBuilds: boolean;
}

/** What makes a virtual environment of a lock, exactly what is in it; the same with either tool. */
export function buildStages(plan: BuildPlan): BuildStage[] {
  return plan.uv === null ? withPip(plan) : withUv(plan, plan.uv);
}

function withUv(plan: BuildPlan, uv: string): BuildStage[] {
  const { directory, lockFile } = plan;
  // The folder is there already: the builder makes it, so that a half one is told from a ready one.
  const venv = [
    uv,
    'venv',
    '--quiet',
    '--allow-existing',
    '--no-project',
    '--python',
    plan.python,
    directory,
  ];
  const sync = [uv, 'pip', 'sync', '--python', join(directory, 'bin/python')]
    .concat(plan.sourceBuilds ? [] : ['--only-binary', ':all:'])
    .concat(plan.hashed ? ['--require-hashes'] : [])
    .concat(plan.compileBytecode ? ['--compile-bytecode'] : [])
    .concat([lockFile]);
  return [
    { name: 'create', commands: [venv] },
    // Without a network everything may still lie in uv's cache.
    { name: 'install', commands: [sync, [...sync, '--offline']] },
  ];
}

function withPip(plan: BuildPlan): BuildStage[] {
  const { directory, lockFile } = plan;
  const install = [join(directory, 'bin/python'), '-I', '-m', 'pip', 'install', '--quiet', '--no-deps']
    .concat(plan.sourceBuilds ? [] : ['--only-binary', ':all:'])
    .concat(plan.hashed ? ['--require-hashes'] : [])
    .concat(plan.compileBytecode ? [] : ['--no-compile'])
    .concat(['-r', lockFile]);
  return [
    { name: 'create', commands: [[plan.python, '-I', '-m', 'venv', directory]] },
    { name: 'install', commands: [install] },
  ];
}
