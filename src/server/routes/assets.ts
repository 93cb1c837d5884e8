import { z } from 'zod';
import type { AssetNode } from '../../definitions/definitions.ts';
import { nearestKeys, selectAssets } from '../../definitions/selection.ts';
import type { App, AppDeps } from '../app-deps.ts';
import {
  AssetDetail,
  type AssetFreshness,
  AssetList,
  AssetQuery,
  Lineage,
  MaterializationList,
  PartitionList,
  PartitionRanges,
  PartitionRangesQuery,
} from '../contract/asset.ts';
import { PageQuery } from '../contract/common.ts';
import { JobList } from '../contract/schedule.ts';
import { decodeNumberCursor, decodeTextCursor, encodeCursor, pageOf } from '../cursor.ts';
import { problems } from '../openapi.ts';
import { refusal } from '../refusal.ts';
import { assetFacts } from '../views/asset-facts.ts';
import { assetDetail, assetState, assetSummary, materializationView } from '../views/asset-view.ts';
import { NO_EVALUATIONS } from '../views/automation-view.ts';
import { freshnessOfAll } from '../views/freshness-view.ts';
import { partitionList, partitionRanges, partitionsSummary } from '../views/partitions-view.ts';
import { type ViewContext, viewContext } from '../views/view-context.ts';

const DEFAULT_LIMIT = 1000;
const DEFAULT_MATERIALIZATIONS = 100;
const KeyParams = z.object({ key: z.string().describe('Asset key, percent-encoded') });
const MaterializationQuery = PageQuery.extend({ partition: z.string().optional() });

export function assetRoutes(app: App, deps: AppDeps): void {
  const { store } = deps;

  app.get(
    '/assets',
    {
      schema: {
        tags: ['assets'],
        summary: 'Assets with their state, in the order of their keys',
        querystring: AssetQuery,
        response: { 200: AssetList, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const context = viewContext(deps);
      const { limit = DEFAULT_LIMIT, cursor } = request.query;
      const after = decodeTextCursor(cursor);
      const wanted = await withFreshness(context, request.query.freshness);
      const nodes = matching(context, request.query).filter(
        (node) => (after === undefined || node.key > after) && (wanted?.has(node.key) ?? true),
      );
      const fetched = nodes.slice(0, limit + 1);
      const factsOf = await assetFacts(store, context, fetched.slice(0, limit));
      return pageOf(
        fetched,
        limit,
        (node) => node.key,
        (node) => assetSummary(context, node, factsOf(node)),
      );
    },
  );

  /** Keys of assets whose freshness is in this state; null: it is not asked for. */
  async function withFreshness(
    context: ViewContext,
    state: AssetFreshness['state'] | undefined,
  ): Promise<ReadonlySet<string> | null> {
    if (state === undefined) return null;
    const all = await freshnessOfAll(store, context);
    return new Set(all.filter(({ view }) => view.state === state).map(({ assetKey }) => assetKey));
  }

  app.get(
    '/assets/:key',
    {
      schema: {
        tags: ['assets'],
        summary: 'One asset with everything about it',
        params: KeyParams,
        response: { 200: AssetDetail, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const context = viewContext(deps);
      const node = assetNamed(context, request.params.key);
      const [factsOf, checks, evaluations, partitionState, definition] = await Promise.all([
        assetFacts(store, context, [node]),
        store.assets.checks(node.key),
        store.automation.newest([node.key]),
        node.partitions === undefined ? null : store.assets.partitionStates(node.key, node.partitions),
        definitionText(deps, node),
      ]);
      return assetDetail(context, node, {
        ...factsOf(node),
        checks,
        evaluations: evaluations.get(node.key) ?? NO_EVALUATIONS,
        partitionState,
        definition,
      });
    },
  );

  app.get(
    '/assets/:key/partitions',
    {
      schema: {
        tags: ['assets'],
        summary:
          'Status of every partition: stretches of neighbours, a matrix for two dimensions, bits if many',
        params: KeyParams,
        response: { 200: PartitionList, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const { definition, stateOf, now } = await partitionsNamed(request.params.key);
      return partitionList(definition, stateOf, now);
    },
  );

  app.get(
    '/assets/:key/partitions/ranges',
    {
      schema: {
        tags: ['assets'],
        summary: 'Stretches of neighbouring partitions of one status, with their keys, newest first',
        params: KeyParams,
        querystring: PartitionRangesQuery,
        response: { 200: PartitionRanges, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const { definition, stateOf, now } = await partitionsNamed(request.params.key);
      const { status, before, limit } = request.query;
      return partitionRanges(definition, stateOf, now, { state: status, before, limit });
    },
  );

  /** @throws `ASSET_NOT_FOUND`, `PARTITION_UNKNOWN` */
  async function partitionsNamed(key: string) {
    const context = viewContext(deps);
    const { key: assetKey, partitions: definition } = assetNamed(context, key);
    if (definition === undefined) throw refusal('PARTITION_UNKNOWN', `${assetKey} is not partitioned`);
    const stateOf = await store.assets.partitionStates(assetKey, definition);
    return { definition, stateOf, now: context.now };
  }

  app.get(
    '/assets/:key/materializations',
    {
      schema: {
        tags: ['assets'],
        summary: 'Materializations of an asset, newest first',
        params: KeyParams,
        querystring: MaterializationQuery,
        response: { 200: MaterializationList, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const node = assetNamed(viewContext(deps), request.params.key);
      const { limit = DEFAULT_MATERIALIZATIONS, cursor, partition } = request.query;
      const before = decodeNumberCursor(cursor);
      const rows = await store.assets.materializations(node.key, {
        limit,
        ...(partition === undefined ? {} : { partition }),
        ...(before === undefined ? {} : { beforeEventId: before }),
      });
      // The store never tears the partitions of one event apart: its page is the page, however long.
      const last = rows.at(-1);
      const more = last !== undefined && rows.length >= limit;
      return { items: rows.map(materializationView), next_cursor: more ? encodeCursor(last.eventId) : null };
    },
  );

  app.get(
    '/lineage',
    {
      schema: {
        tags: ['assets'],
        summary: 'The graph of assets',
        querystring: z.object({ selection: z.string().optional() }),
        response: { 200: Lineage, ...problems },
      },
      config: { etag: 'log' },
    },
    async (request) => {
      const context = viewContext(deps);
      const nodes = matching(context, request.query);
      const shown = new Set(nodes.map((node) => node.key));
      const rows = await store.assets.status([...shown]);
      const status = new Map(rows.map((row) => [row.assetKey, row]));
      return {
        nodes: nodes.map((node) => {
          const row = status.get(node.key);
          const counts =
            node.partitions === undefined || row === undefined
              ? null
              : partitionsSummary(node.partitions, row.partitionCounts, context.now).counts;
          return {
            key: node.key,
            kind: node.kind,
            group: node.group,
            tool: node.tool,
            kinds: [...node.kinds],
            state: assetState(row, counts),
            enabled: node.enabled,
            held: node.held,
          };
        }),
        edges: nodes.flatMap((node) =>
          node.deps.filter((dep) => shown.has(dep.key)).map((dep) => ({ from: dep.key, to: node.key })),
        ),
      };
    },
  );

  app.get(
    '/jobs',
    {
      schema: {
        tags: ['assets'],
        summary: 'Jobs: one per pipeline, one per group, one for everything',
        response: { 200: JobList, ...problems },
      },
      config: { etag: 'log' },
    },
    () => ({
      items: [...deps.components.definitions().jobs.values()].map(({ name, kind, assets }) => ({
        name,
        kind,
        asset_keys: [...assets],
      })),
      next_cursor: null,
    }),
  );
}

/** @throws `ASSET_NOT_FOUND` with the nearest keys */
export function assetNamed(context: ViewContext, key: string): AssetNode {
  const graph = context.definitions.assets;
  const node = graph.nodes.get(key);
  if (node !== undefined) return node;
  const near = nearestKeys(graph, key);
  const hint = near.length === 0 ? undefined : `did you mean ${near.join(', ')}?`;
  throw refusal('ASSET_NOT_FOUND', `there is no asset "${key}"`, hint);
}

interface AssetFilter {
  readonly q?: string | undefined;
  readonly group?: string | undefined;
  readonly component?: string | undefined;
  readonly selection?: string | undefined;
}

/** In the order of keys. A selection that matches nothing is an empty list, one that cannot be read an error. */
function matching(context: ViewContext, filter: AssetFilter): AssetNode[] {
  const graph = context.definitions.assets;
  let selected: ReadonlySet<string> | null = null;
  if (filter.selection !== undefined && filter.selection.trim() !== '') {
    const result = selectAssets(graph, filter.selection);
    if (!result.ok && result.code === 'SELECTION_INVALID') {
      throw refusal(result.code, result.message, result.hint);
    }
    selected = new Set(result.ok ? result.keys : []);
  }
  const q = filter.q?.trim().toLowerCase() ?? '';
  return [...graph.nodes.values()].filter(
    (node) =>
      (selected === null || selected.has(node.key)) &&
      (filter.group === undefined || node.group === filter.group) &&
      (filter.component === undefined || node.component === filter.component) &&
      (q === '' ||
        [node.key, node.group, node.description ?? ''].some((text) => text.toLowerCase().includes(q))),
  );
}

async function definitionText(deps: AppDeps, node: AssetNode): Promise<string | null> {
  if (node.code === null) return null;
  const { component, commit, dir } = node.code;
  return deps.components.readFile(component, commit, `${dir}/dagster.yaml`);
}
