import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type LogLevel, logLevelOf } from '../plan/log-level.ts';
import type { StepSpec } from '../plan/step-spec.ts';
import { dbtRequest } from './dbt/request.ts';
import { pythonEnv, REQUEST_FILE, runnerArgv } from './python-env.ts';
import type { Runner, StepCommand, StepPlaces } from './runner.ts';
import { portionsOfStep } from './step-partitions.ts';

const DBT_LEVELS: Readonly<Record<LogLevel, string>> = {
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warn',
  ERROR: 'error',
};

/**
 * Builds the step's models, seeds and snapshots with their tests, in one dbt process. Cancelled by SIGINT: dbt then cancels
 * its queries and says what was through.
 */
export const dbtRunner: Runner = {
  tool: 'dbt',
  needs: { sling: false },
  async command(
    spec: StepSpec,
    places: StepPlaces,
    env: Readonly<Record<string, string>>,
  ): Promise<StepCommand> {
    const level = logLevelOf(spec.runConfig);
    const request = dbtRequest(spec, portionsOfStep(spec, Date.now()), places);
    // Else dbt looks into the home folder, where a secret file of the operator may have been laid for it.
    const hasProfiles = [places.workDir, places.treeDir].some((folder) =>
      existsSync(join(folder, 'profiles.yml')),
    );
    return {
      argv: runnerArgv(places, 'dbt'),
      env: {
        ...pythonEnv(places, env),
        ...(hasProfiles && { DBT_PROFILES_DIR: places.workDir }),
        DBT_TARGET_PATH: request.target_path,
        DBT_LOG_PATH: join(places.stepDir, 'dbt-logs'),
        DBT_SEND_ANONYMOUS_USAGE_STATS: 'false',
        DBT_USE_COLORS: 'false',
        ...(level !== null && { DBT_LOG_LEVEL: DBT_LEVELS[level] }),
      },
      files: [{ name: REQUEST_FILE, content: JSON.stringify(request) }],
      cancelSignal: 'SIGINT',
      warm: 'dbt',
    };
  },
};
