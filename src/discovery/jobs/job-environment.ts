import { join } from 'node:path';
import type { PipelineConfig } from '../pipeline-config.ts';
import type { Scratch } from './scratch.ts';

/**
 * The environment of a discovery job: nothing of the service's own but what finds programs. Of the folder's `env:` the
 * defaults are taken; a value that only the service knows gets a placeholder, because looking needs no secret.
 */
export function jobEnvironment(config: PipelineConfig, scratch: Scratch): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(config.env)) {
    env[name] = value.replaceAll(
      /(\$?)\$\{(\w+)(?::-([^}]*))?\}/g,
      (whole, escaped: string, _name, fallback: string | undefined) =>
        escaped === '$' ? whole.slice(1) : (fallback ?? 'placeholder'),
    );
  }
  const state = join(scratch.root, 'state');
  return {
    ...env,
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    HOME: join(scratch.root, 'home'),
    TMPDIR: join(scratch.root, 'home'),
    PYTHONDONTWRITEBYTECODE: '1',
    DLT_DATA_DIR: join(state, 'dlt'),
    RUNTIME__DLTHUB_TELEMETRY: 'false',
    RUNTIME__LOG_LEVEL: 'CRITICAL',
    DBT_TARGET_PATH: join(state, 'target'),
    DBT_LOG_PATH: join(state, 'logs'),
    DBT_SEND_ANONYMOUS_USAGE_STATS: 'false',
    DBT_USE_COLORS: 'false',
    DO_NOT_TRACK: '1',
  };
}
