import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { sha256 } from '../lib/digest.ts';
import { invariant } from '../lib/invariant.ts';
import { logLevelOf } from '../plan/log-level.ts';
import type { StepSpec } from '../plan/step-spec.ts';
import { pythonEnv, REQUEST_FILE, runnerArgv } from './python-env.ts';
import type { Runner, StepCommand, StepFile, StepPlaces } from './runner.ts';
import {
  chosenStreams,
  isTablePattern,
  type RenderedReplication,
  type Replication,
  renderReplication,
  variablesOf,
} from './sling/render-replication.ts';
import { portionsOfStep } from './step-partitions.ts';
import { workRunId } from './work-run-id.ts';

/**
 * Runs the streams of a replication one by one, each as a replication file of its own in the private step directory.
 * Cancelled by SIGINT: on SIGTERM Sling leaves its temporary tables behind.
 */
export const slingRunner: Runner = {
  tool: 'sling',
  needs: { sling: true },
  async command(
    spec: StepSpec,
    places: StepPlaces,
    env: Readonly<Record<string, string>>,
  ): Promise<StepCommand> {
    const config = spec.config.sling;
    invariant(config !== undefined, `${spec.pipeline} is a Sling pipeline without Sling settings`);
    const text = await readFile(join(places.treeDir, config.replication), 'utf8');
    const replication = parse(text) as Replication;
    const files: StepFile[] = [];
    const portions = portionsOfStep(spec, Date.now());
    const assets = spec.assets.map(({ key, resource }) => {
      const names = resource === undefined ? chosenStreams(replication, config.streams) : [resource];
      const parts = portions.map((portion) => {
        const streams = names.map((name) => {
          const rendered = renderReplication(replication, {
            stream: name,
            window: portion.window,
            timezone: spec.timezone,
            partitionKey: portion.key,
            dimensions: portion.dimensions,
            partitioned: spec.partitions.kind !== 'none',
            fullRefresh: spec.fullRefresh,
          });
          const file = `stream-${files.length}.json`;
          files.push({ name: file, content: JSON.stringify(rendered.content) });
          return describe(replication, name, rendered, join(places.stepDir, file));
        });
        return { partition: portion.key, streams };
      });
      return { key, portions: parts };
    });
    const identity = `${workRunId(spec)}\0${spec.ref.stepKey}`;
    const request = {
      sling: places.sling,
      // Never `--trace`, which prints passwords.
      debug: logLevelOf(spec.runConfig) === 'DEBUG',
      replication: config.replication,
      source: textOf(replication.source),
      target: textOf(replication.target),
      named_streams: Object.keys(replication.streams ?? {}),
      variables: variablesOf(replication),
      full_refresh: spec.fullRefresh && spec.partitions.kind === 'none',
      // Named here: hashing in Python would load all of OpenSSL first.
      journal: join(places.stateDir, 'sling', `journal-${sha256(identity).slice(0, 16)}.json`),
      assets,
    };
    return {
      argv: runnerArgv(places, 'sling'),
      env: {
        ...pythonEnv(places, env),
        SLING_LOGGING: 'JSON',
        SLING_HOME_DIR: join(places.stateDir, 'sling'),
      },
      files: [...files, { name: REQUEST_FILE, content: JSON.stringify(request) }],
      cancelSignal: 'SIGINT',
      warm: 'sling',
    };
  },
};

function describe(
  replication: Replication,
  name: string,
  rendered: RenderedReplication,
  file: string,
): Record<string, unknown> {
  return {
    name,
    file,
    exists: replication.streams?.[name] !== undefined,
    object: rendered.object,
    mode: rendered.mode,
    update_key: rendered.updateKey,
    is_pattern: isTablePattern(name),
    ranges: rendered.ranges,
    cursor: rendered.cursor,
    warnings: rendered.warnings,
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
