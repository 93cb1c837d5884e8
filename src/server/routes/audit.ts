import type { AuditPosition, AuditTrailRow } from '../../store/store.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { AuditList, AuditQuery } from '../contract/instance.ts';
import { decodePositions, encodeCursor } from '../cursor.ts';
import { problems } from '../openapi.ts';
import { timestamp } from '../views/view-context.ts';

const DEFAULT_LIMIT = 100;

/** Who or what caused what: people, deliveries, schedules, conditions, commits. */
export function auditRoutes(app: App, { store }: AppDeps): void {
  app.get(
    '/audit',
    {
      schema: {
        tags: ['system'],
        summary: 'Who or what caused each run, revision and change, newest first',
        querystring: AuditQuery,
        response: { 200: AuditList, ...problems },
      },
      config: { etag: 'body' },
    },
    async (request) => {
      const { limit = DEFAULT_LIMIT, cursor, target, actor, action, people } = request.query;
      const [change, launch, revision] = decodePositions(cursor, 3);
      const before = { change: change!, launch: launch!, revision: revision! };
      const rows = await store.operations.auditTrail({
        before,
        limit: limit + 1,
        peopleOnly: people === 'true',
        ...(target === undefined ? {} : { target }),
        ...(actor === undefined ? {} : { actor }),
        ...(action === undefined ? {} : { action }),
      });
      const shown = rows.slice(0, limit);
      return {
        items: shown.map(({ kind, id, at, details, ...row }) => ({
          kind,
          audit_id: id,
          at: timestamp(at),
          ...row,
          details: { ...details },
        })),
        next_cursor: rows.length > limit ? encodeCursor(positionsBelow(shown, before)) : null,
      };
    },
  );
}

/** The last of each kind that was shown; of a kind that was not, where it stood. */
function positionsBelow(shown: readonly AuditTrailRow[], before: AuditPosition): (number | null)[] {
  const last = (kind: AuditTrailRow['kind']): number | null =>
    shown.findLast((row) => row.kind === kind)?.id ?? before[kind];
  return [last('change'), last('launch'), last('revision')];
}
