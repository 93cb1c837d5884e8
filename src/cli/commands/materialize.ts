import type { LogLevel } from '../../plan/log-level.ts';
import type { LaunchRequest, LaunchResponse } from '../../server/contract/run.ts';
import { CliError } from '../cli-error.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { configOf, tagsOf } from './run-options.ts';
import { announceLaunch } from './wait.ts';

export interface MaterializeOptions {
  readonly partition?: string;
  readonly partitionRange?: string;
  readonly fullRefresh?: boolean;
  readonly config?: string;
  readonly tag?: readonly string[];
  readonly logLevel?: LogLevel;
  readonly wait?: boolean;
}

export function materialize(
  context: CliContext,
  selection: readonly string[],
  options: MaterializeOptions,
): Promise<number> {
  const request: LaunchRequest = {
    selection: selection.join(' '),
    ...requestOf(options),
  };
  return withClient(context, async (client) => {
    const launch = await client.post<LaunchResponse>('/runs', request);
    return announceLaunch(context, client, launch, options.wait === true);
  });
}

/** A launch but for what it launches. */
export function requestOf(options: MaterializeOptions): Omit<LaunchRequest, 'selection' | 'source'> {
  return {
    ...(options.partition === undefined ? {} : { partition: options.partition }),
    ...(options.partitionRange === undefined ? {} : { range: rangeOf(options.partitionRange) }),
    ...(options.fullRefresh === true ? { full_refresh: true } : {}),
    ...(options.config === undefined ? {} : { config: configOf(options.config) }),
    ...(options.tag === undefined ? {} : { tags: tagsOf(options.tag) }),
    ...(options.logLevel === undefined ? {} : { log_level: options.logLevel }),
  };
}

function rangeOf(text: string): { start: string; end: string } {
  const [start, end, ...rest] = text.split('...');
  if (start === undefined || end === undefined || start === '' || end === '' || rest.length > 0) {
    throw new CliError('REQUEST_INVALID', `--partition-range "${text}" is not of the form A...B`);
  }
  return { start, end };
}
