import path from 'node:path';
import { EXIT } from '../../lib/errors.ts';
import type { Plan, PlanRequest } from '../../server/contract/plan.ts';
import { CliError } from '../cli-error.ts';
import { settingsOf, withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { printJson } from '../output.ts';
import { planText } from '../plan-text.ts';

export interface PlanOptions {
  readonly ref?: string;
  readonly dir?: string | true;
  readonly revision?: string;
  readonly from?: string;
  readonly component?: string;
  readonly pipelinesDir?: string;
  readonly exitCode?: boolean;
}

/** What a ref, a working directory or a revision would change. 3: it has errors; with `--exit-code` 10: it has changes. */
export async function plan(context: CliContext, options: PlanOptions): Promise<number> {
  const { ref, dir, revision, from, component } = options;
  if ([ref, dir, revision].filter((one) => one !== undefined).length > 1)
    throw new CliError('REQUEST_INVALID', 'one of --ref, --dir and --revision, please');
  const to =
    ref !== undefined
      ? { ref }
      : revision !== undefined
        ? { revision: revisionOf(revision) }
        : dir !== undefined
          ? { working_copy: await workingCopy(context, dir === true ? '.' : dir, options) }
          : undefined;
  const request: PlanRequest = {
    ...(component === undefined ? {} : { component }),
    ...(from === undefined ? {} : { from: { revision: revisionOf(from) } }),
    ...(to === undefined ? {} : { to }),
  };
  return withClient(context, async (client) => {
    const found = await client.post<Plan>('/plan', request);
    if (context.json) printJson(context, found);
    else context.out(planText(found, context.color));
    if (found.diagnostics.some(({ severity }) => severity === 'error')) return EXIT.invalidConfiguration;
    return options.exitCode === true && found.has_changes ? EXIT.changesPresent : EXIT.ok;
  });
}

/** `12` is a revision's id, anything else a commit's. */
function revisionOf(text: string): number | string {
  return /^\d{1,9}$/.test(text) ? Number(text) : text;
}

async function workingCopy(
  context: CliContext,
  dir: string,
  { component, pipelinesDir }: PlanOptions,
): Promise<Extract<NonNullable<PlanRequest['to']>, { working_copy: unknown }>['working_copy']> {
  const root = path.resolve(context.cwd, dir);
  const directory = pipelinesDir ?? (await pipelinesDirectoryOf(context, component));
  const { sendWorkingCopy } = await import('../../component/send-working-copy.ts');
  const files = await sendWorkingCopy(root, directory, context.env);
  return {
    label: `working directory ${path.basename(root)}`,
    files: files as Extract<
      NonNullable<PlanRequest['to']>,
      { working_copy: unknown }
    >['working_copy']['files'],
  };
}

async function pipelinesDirectoryOf(context: CliContext, component: string | undefined): Promise<string> {
  const { settings } = await settingsOf(context);
  const one = settings.components.find(({ name }) => component === undefined || name === component);
  return one?.pipelinesDirectory ?? 'pipelines';
}
