import { z } from 'zod';
import { calendarPage } from '../../partitions/calendar.ts';
import { keyToOrdinal, ordinalExists, ordinalToKey, partitionCount } from '../../partitions/partition-set.ts';
import type { App, AppDeps } from '../app-deps.ts';
import {
  AssetDefinition,
  Calendar,
  CalendarQuery,
  CheckResultQuery,
  CheckResults,
  PartitionDetail,
  PartitionDetailQuery,
  PlotQuery,
  Plots,
  SchemaChanges,
  TrendQuery,
  Trends,
} from '../contract/history.ts';
import { problems } from '../openapi.ts';
import { refusal } from '../refusal.ts';
import { definitionAt } from '../views/definition-at.ts';
import { partitionDetail, plotGap, plotNames, plotPoint } from '../views/history-view.ts';
import { partitionSides } from '../views/partition-grid.ts';
import { timestamp, viewContext } from '../views/view-context.ts';
import { assetNamed } from './assets.ts';

const MOST_TRENDS = 100;
const TREND_POINTS = 12;
const MOST_CHANGES = 20;
const MOST_ROWS = 1000;
const KeyParams = z.object({ key: z.string().describe('Asset key, percent-encoded') });

/** What an asset was over time: its partitions one by one, plots, checks, schema; and where its settings are written. */
export function assetHistoryRoutes(app: App, deps: AppDeps): void {
  const { history } = deps.store;

  app.get(
    '/assets/:key/partition',
    {
      schema: {
        tags: ['assets'],
        summary: 'One partition: its last write and the run that its status comes from',
        params: KeyParams,
        querystring: PartitionDetailQuery,
        response: { 200: PartitionDetail, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const context = viewContext(deps);
      const { key: assetKey, partitions } = assetNamed(context, request.params.key);
      if (partitions === undefined) throw refusal('PARTITION_UNKNOWN', `${assetKey} is not partitioned`);
      const ordinal = keyToOrdinal(partitions, request.query.key);
      if (ordinal === null || !ordinalExists(partitions, ordinal, context.now)) {
        throw refusal('PARTITION_UNKNOWN', `${assetKey} has no partition "${request.query.key}"`);
      }
      const key = ordinalToKey(partitions, ordinal) as string;
      return partitionDetail(key, await history.partition(assetKey, key));
    },
  );

  app.get(
    '/assets/:key/partitions/calendar',
    {
      schema: {
        tags: ['assets'],
        summary: 'Where on a calendar the newest time partitions lie, a page at a time',
        params: KeyParams,
        querystring: CalendarQuery,
        response: { 200: Calendar, ...problems },
      },
      config: { etag: 'body' },
    },
    (request) => {
      const context = viewContext(deps);
      const { key, partitions } = assetNamed(context, request.params.key);
      if (partitions?.kind !== 'time') {
        throw refusal('PARTITION_UNKNOWN', `${key} has no partitions by time alone`);
      }
      const { stretches, ...page } = calendarPage(partitions, context.now, request.query.before);
      return {
        ...page,
        timezone: partitions.timezone,
        stretches: stretches.map(({ from, count, local }) => ({
          from,
          count,
          start: timestamp(local).slice(0, 16),
        })),
      };
    },
  );

  app.get(
    '/assets/:key/plots',
    {
      schema: {
        tags: ['assets'],
        summary: 'Numbers of the last writes, or of the last partitions, for plots',
        params: KeyParams,
        querystring: PlotQuery,
        response: { 200: Plots, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const context = viewContext(deps);
      const { key, partitions } = assetNamed(context, request.params.key);
      const { by, limit, before, row } = request.query;
      if (by === 'time') {
        const writes = await history.writes(key, {
          limit: limit + 1,
          ...(before === undefined ? {} : { beforeEventId: before }),
        });
        const points = writes.slice(0, limit).map(plotPoint).reverse();
        const first = points[0]?.event_id ?? null;
        return {
          by,
          rows: [],
          row: null,
          names: plotNames(points),
          points,
          before: writes.length > limit ? first : null,
        };
      }
      if (partitions === undefined) throw refusal('PARTITION_UNKNOWN', `${key} is not partitioned`);
      const axis = partitionAxis(partitions, context.now, row);
      if (axis === null) throw refusal('PARTITION_UNKNOWN', `${key} has no row "${row}"`);
      const to = Math.min(before ?? axis.count, axis.count);
      const from = Math.max(0, to - limit);
      const keys = Array.from({ length: Math.max(0, to - from) }, (_, place) => axis.keyAt(from + place));
      const writes = await history.writesOf(key, keys);
      const points = keys.map((one) => {
        const write = writes.get(one);
        return write === undefined ? plotGap(one) : plotPoint(write);
      });
      return {
        by,
        rows: axis.rows,
        row: axis.row,
        names: plotNames(points),
        points,
        before: from > 0 ? from : null,
      };
    },
  );

  app.get(
    '/asset-trends',
    {
      schema: {
        tags: ['assets'],
        summary: 'Rows of the last writes of some assets, for small plots in a list',
        querystring: TrendQuery,
        response: { 200: Trends, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const keys = [...new Set(request.query.keys.split(','))];
      if (keys.length > MOST_TRENDS) {
        throw refusal('REQUEST_INVALID', `keys is a list of at most ${MOST_TRENDS} asset keys`);
      }
      const trends = await history.rowTrends(keys, TREND_POINTS);
      return { items: [...trends].map(([key, rows]) => ({ key, rows: [...rows] })) };
    },
  );

  app.get(
    '/assets/:key/checks/:check/results',
    {
      schema: {
        tags: ['assets'],
        summary: 'Results of one check, newest first',
        params: KeyParams.extend({ check: z.string() }),
        querystring: CheckResultQuery,
        response: { 200: CheckResults, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const { key } = assetNamed(viewContext(deps), request.params.key);
      const rows = await history.checkResults(key, request.params.check, request.query.limit);
      return {
        items: rows.map((row) => ({
          event_id: row.eventId,
          passed: row.passed,
          severity: row.severity,
          at: timestamp(row.at),
          run_id: row.runId,
          partition: row.partition,
          metadata: { ...row.metadata },
        })),
      };
    },
  );

  app.get(
    '/assets/:key/schema-changes',
    {
      schema: {
        tags: ['assets'],
        summary: 'Writes that changed columns or tables, newest first',
        params: KeyParams,
        response: { 200: SchemaChanges, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const { key } = assetNamed(viewContext(deps), request.params.key);
      const rows = await history.schemaChanges(key, MOST_CHANGES);
      return {
        items: rows.map((row) => ({
          event_id: row.eventId,
          at: timestamp(row.at),
          run_id: row.runId,
          partition: row.partition,
          commit: row.commit,
          changes: [...row.changes],
        })),
      };
    },
  );

  app.get(
    '/assets/:key/definition',
    {
      schema: {
        tags: ['assets'],
        summary: 'The dagster.yaml that serves, and each setting as it counts with the line that says it',
        params: KeyParams,
        response: { 200: AssetDefinition, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const context = viewContext(deps);
      const { key, code, component, pipeline } = assetNamed(context, request.params.key);
      const state = context.definitions.pipelines.get(`${component}/${pipeline}`);
      if (code === null || state === undefined) {
        throw refusal('REQUEST_INVALID', `${key} is external: no file of this repository defines it`);
      }
      return definitionAt(deps, code, state.config);
    },
  );
}

/** Partitions along one axis: of two dimensions the columns of one row. Null: there is no such row. */
function partitionAxis(
  definition: Parameters<typeof partitionSides>[0],
  now: number,
  wanted: string | undefined,
): { count: number; rows: string[]; row: string | null; keyAt(place: number): string } | null {
  const sides = partitionSides(definition, now);
  if (sides === null) {
    const count = partitionCount(definition, now);
    return { count, rows: [], row: null, keyAt: (place) => ordinalToKey(definition, place) as string };
  }
  const { rows, columns } = sides;
  const keys = Array.from({ length: Math.min(rows.count, MOST_ROWS) }, (_, place) => rows.keyAt(place));
  const row = wanted ?? keys[0];
  if (row === undefined || !keys.includes(row)) return null;
  return {
    count: columns.count,
    rows: keys,
    row,
    keyAt: (place) => sides.keyOf(row, columns.keyAt(place)),
  };
}
