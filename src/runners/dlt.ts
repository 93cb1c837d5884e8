import { logLevelOf } from '../plan/log-level.ts';
import type { StepSpec } from '../plan/step-spec.ts';
import { dltDataDir, dltRequest } from './dlt/request.ts';
import { pythonEnv, REQUEST_FILE, runnerArgv } from './python-env.ts';
import type { Runner, StepCommand, StepPlaces } from './runner.ts';
import { isoInstant, partitionsOfStep } from './step-partitions.ts';

/**
 * Runs a dlt folder: its `run(partition_key=…)`, the source that dagster.yaml declares, or its script as it is.
 * SIGTERM cancels: dlt finishes the load jobs that are running and leaves the package pending for the next attempt.
 */
export const dltRunner: Runner = {
  tool: 'dlt',
  needs: { sling: false },
  async command(
    spec: StepSpec,
    places: StepPlaces,
    env: Readonly<Record<string, string>>,
  ): Promise<StepCommand> {
    const partitions = partitionsOfStep(spec, Date.now());
    const level = logLevelOf(spec.runConfig);
    const request = dltRequest(spec, partitions, places.stateDir);
    return {
      argv: runnerArgv(places, spec.operation === undefined ? 'dlt' : spec.operation.kind),
      env: {
        ...pythonEnv(places, env),
        DLT_DATA_DIR: dltDataDir(spec, places.stateDir),
        RUNTIME__DLTHUB_TELEMETRY: 'false',
        ...(level !== null && { RUNTIME__LOG_LEVEL: level }),
        ...(spec.window && {
          DLT_INTERVAL_START: isoInstant(spec.window.start),
          DLT_INTERVAL_END: isoInstant(spec.window.end),
          DLT_INTERVAL_TIMEZONE: spec.timezone,
        }),
      },
      files: [{ name: REQUEST_FILE, content: JSON.stringify(request) }],
      cancelSignal: 'SIGTERM',
      warm: 'dlt',
    };
  },
};
