import type { LaunchRequest, LaunchResponse } from '../../server/contract/run.ts';
import { CliError } from '../cli-error.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { announceLaunch } from './wait.ts';

export interface MaterializeOptions {
  readonly partition?: string;
  readonly partitionRange?: string;
  readonly fullRefresh?: boolean;
  readonly config?: string;
  readonly tag?: readonly string[];
  readonly wait?: boolean;
}

export function materialize(
  context: CliContext,
  selection: readonly string[],
  options: MaterializeOptions,
): Promise<number> {
  const request: LaunchRequest = {
    selection: selection.join(' '),
    ...(options.partition === undefined ? {} : { partition: options.partition }),
    ...(options.partitionRange === undefined ? {} : { range: rangeOf(options.partitionRange) }),
    ...(options.fullRefresh === true ? { full_refresh: true } : {}),
    ...(options.config === undefined ? {} : { config: configOf(options.config) }),
    ...(options.tag === undefined ? {} : { tags: tagsOf(options.tag) }),
  };
  return withClient(context, async (client) => {
    const launch = await client.post<LaunchResponse>('/runs', request);
    return announceLaunch(context, client, launch, options.wait === true);
  });
}

function rangeOf(text: string): { start: string; end: string } {
  const [start, end, ...rest] = text.split('...');
  if (start === undefined || end === undefined || start === '' || end === '' || rest.length > 0) {
    throw new CliError('REQUEST_INVALID', `--partition-range "${text}" is not of the form A...B`);
  }
  return { start, end };
}

function configOf(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Said below, like any other text that is no JSON object.
  }
  throw new CliError('REQUEST_INVALID', '--config is not a JSON object', {
    hint: `--config '{"limit": 10}'`,
  });
}

function tagsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf('=');
      if (equals <= 0) throw new CliError('REQUEST_INVALID', `--tag "${text}" is not of the form name=value`);
      return [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}
