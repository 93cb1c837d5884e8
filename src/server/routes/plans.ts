import { z } from 'zod';
import type { PlanTarget } from '../../component/control.ts';
import { folderTreeId, type WorkingCopy } from '../../component/working-copy.ts';
import { OperationalError } from '../../lib/errors.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { Plan, PlanRequest } from '../contract/plan.ts';
import { problems } from '../openapi.ts';
import { planView } from '../views/plan-view.ts';
import { viewContext } from '../views/view-context.ts';

/** The code of a few thousand folders. */
const LARGEST_WORKING_COPY = 64 * 1024 * 1024;

type Target = NonNullable<PlanRequest['to']>;

export function planRoutes(app: App, deps: AppDeps): void {
  const { components } = deps;

  app.post(
    '/plan',
    {
      bodyLimit: LARGEST_WORKING_COPY,
      schema: {
        tags: ['git'],
        summary:
          'What a revision, a ref or a working directory would change: definitions, ticks, partitions. Nothing is run or applied',
        body: PlanRequest,
        response: { 200: Plan, ...problems },
      },
    },
    async (request) => {
      const { component, from, to } = request.body;
      const plan = await components.plan(
        nameOf(component),
        to === undefined ? { kind: 'head' } : targetOf(to),
        from === undefined ? undefined : targetOf(from),
      );
      return planView(viewContext(deps), plan);
    },
  );

  app.get(
    '/components/:name/revisions/:range/diff',
    {
      schema: {
        tags: ['git'],
        summary: 'What going from one kept revision to another changes, as a plan',
        params: z.object({
          name: z.string(),
          range: z.string().describe('`a...b`: revision ids or commits'),
        }),
        response: { 200: Plan, ...problems },
      },
    },
    async (request) => {
      const { name, range } = request.params;
      const [from, to, ...rest] = range.split('...');
      if (from === undefined || from === '' || to === undefined || to === '' || rest.length > 0)
        throw new OperationalError('REQUEST_INVALID', `"${range}" is not of the form a...b`);
      const plan = await components.plan(
        nameOf(name),
        { kind: 'revision', revision: to },
        { kind: 'revision', revision: from },
      );
      return planView(viewContext(deps), plan);
    },
  );

  function nameOf(name: string | undefined): string {
    const names = components.components().map((one) => one.name);
    const chosen = name ?? (names.length === 1 ? names[0] : undefined);
    if (chosen !== undefined && names.includes(chosen)) return chosen;
    if (name === undefined)
      throw new OperationalError('REQUEST_INVALID', 'which component?', {
        hint: `"component" is one of ${names.join(', ')}`,
      });
    throw new OperationalError('COMPONENT_UNKNOWN', `there is no component "${name}"`, {
      hint: `there is ${names.join(', ')}`,
    });
  }
}

function targetOf(target: Target): PlanTarget {
  if ('revision' in target) return { kind: 'revision', revision: target.revision };
  if ('ref' in target) return { kind: 'ref', ref: target.ref };
  const { label, files } = target.working_copy;
  return { kind: 'directory', label, copy: workingCopyOf(files) };
}

/** What the caller read from its own disk: nothing of the service's machine is named. */
function workingCopyOf(
  sent: Extract<Target, { working_copy: unknown }>['working_copy']['files'],
): WorkingCopy {
  const contents = new Map(
    sent.flatMap(({ oid, content }) => (content === undefined ? [] : [[oid, content] as const])),
  );
  const files = sent
    .map(({ path, mode, oid, size }) => ({ path, mode, oid, size }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    files,
    readBlob(oid) {
      const content = contents.get(oid);
      return content === undefined
        ? Promise.reject(new OperationalError('REQUEST_INVALID', `the content of ${oid} was not sent`))
        : Promise.resolve(Buffer.from(content, 'base64'));
    },
    folderTreeId: (dir) => folderTreeId(files, dir),
  };
}
