import { EXIT } from '../../lib/errors.ts';
import type { Component, Control, Drift, RefreshResult } from '../../server/contract/component.ts';
import { CliError } from '../cli-error.ts';
import { type Client, segment } from '../client.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { instant, relative } from '../format.ts';
import { printJson } from '../output.ts';
import { exitOf, refreshText } from '../refresh-text.ts';
import { painter, printable } from '../render.ts';

export interface HoldOptions {
  readonly component?: string;
  readonly reason?: string;
  /** How long, `2h`; absent: until `elt resume`. */
  readonly for?: string;
}

/** Goes back to an earlier revision, or stays at one; prints what that changed. */
export function hold(
  context: CliContext,
  action: 'rollback' | 'pin',
  revision: string,
  options: HoldOptions,
): Promise<number> {
  return withClient(context, async (client) => {
    const name = await componentName(client, options.component);
    const path = `/components/${segment(name)}/${action}`;
    const result = await client.post<RefreshResult>(path, { revision, ...bodyOf(options) });
    return show(context, result);
  });
}

export function suspend(context: CliContext, options: HoldOptions): Promise<number> {
  return withClient(context, async (client) => {
    const name = await componentName(client, options.component);
    const path = `/components/${segment(name)}/suspend`;
    const control = await client.post<Control>(path, bodyOf(options));
    if (context.json) printJson(context, control);
    else context.out(`${name}: suspended${endText(control)}; elt resume applies the head`);
    return EXIT.ok;
  });
}

/** Ends what holds the component and applies the head. */
export function resume(context: CliContext, options: Pick<HoldOptions, 'component'>): Promise<number> {
  return withClient(context, async (client) => {
    const name = await componentName(client, options.component);
    return show(context, await client.post<RefreshResult>(`/components/${segment(name)}/resume`));
  });
}

function show(context: CliContext, result: RefreshResult): number {
  if (context.json) printJson(context, result);
  else context.out(refreshText(context, result));
  return exitOf(result);
}

/** `--reason` and `--for` as the API has them. */
export function bodyOf({ reason, for: time }: HoldOptions): Record<string, string> {
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(time === undefined ? {} : { expires_in: time }),
  };
}

/** The only component need not be named. */
async function componentName(client: Client, name: string | undefined): Promise<string> {
  if (name !== undefined) return name;
  const all = await client.all<Component>('/components');
  const [only] = all;
  if (only !== undefined && all.length === 1) return only.name;
  throw new CliError('COMPONENT_UNKNOWN', 'which component?', {
    hint: `add --component, one of ${all.map((component) => component.name).join(', ')}`,
  });
}

/** What people set over what Git says, one line each. */
export function driftLines(context: CliContext, drifts: readonly Drift[]): string[] {
  const paint = painter(context.color);
  const now = Date.now();
  return drifts.map(({ kind, target, git, actual, by, at, reason, expires_at: end }) => {
    const why = reason === '' ? '' : ` (${reason})`;
    const until = end === null ? '' : `, until ${instant(end)}`;
    const text = `${kind} ${target}: Git says ${git}, it is ${actual}; ${by}, ${relative(at, now)}${why}${until}`;
    return paint('yellow', printable(`≠ ${text}`));
  });
}

function endText({ expires_at: end }: Control): string {
  return end === null ? '' : ` until ${instant(end)}`;
}
