import { delimiter, dirname } from 'node:path';
import type { StepPlaces } from './runner.ts';

/**
 * What every Python child gets: its environment's programs first on PATH, as an activated environment has them, and
 * output that is not held back.
 */
export function pythonEnv(
  places: StepPlaces,
  env: Readonly<Record<string, string>>,
): { PATH: string; VIRTUAL_ENV: string; PYTHONUNBUFFERED: string } {
  const programs = dirname(places.python);
  const inherited = (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '' && folder !== programs);
  return {
    PATH: [programs, ...inherited].join(delimiter),
    VIRTUAL_ENV: dirname(programs),
    PYTHONUNBUFFERED: '1',
  };
}

/** argv of one of our Python runners; the request lies in the private step directory. */
export function runnerArgv(
  places: StepPlaces,
  tool: 'dlt' | 'dlt_state' | 'sling' | 'dbt' | 'checked',
  file: string = REQUEST_FILE,
): readonly string[] {
  return [places.python, `${places.runnerPackage}/elt_runner`, tool, `${places.stepDir}/${file}`];
}

export const REQUEST_FILE = 'request.json';
