import { invariant } from '../lib/invariant.ts';
import type { StepSpec } from '../plan/step-spec.ts';
import { pythonEnv } from './python-env.ts';
import type { Runner, StepCommand, StepPlaces } from './runner.ts';

/**
 * Runs the command of `script.command` with nothing in between: it reports through Dagster Pipes, or by its exit code
 * alone. A first element `python` or `python3` means the interpreter of the folder's environment.
 */
export const pythonRunner: Runner = {
  tool: 'python',
  needs: { sling: false },
  async command(
    spec: StepSpec,
    places: StepPlaces,
    env: Readonly<Record<string, string>>,
  ): Promise<StepCommand> {
    const [program, ...rest] = spec.config.script?.command ?? [];
    invariant(program !== undefined, `${spec.pipeline} is a python pipeline without script.command`);
    const isPython = program === 'python' || program === 'python3';
    return {
      argv: [isPython ? places.python : program, ...rest],
      // Byte code in the working directory would outlive the revision that it belongs to.
      env: { ...pythonEnv(places, env), PYTHONDONTWRITEBYTECODE: '1' },
      files: [],
      cancelSignal: 'SIGTERM',
    };
  },
};
