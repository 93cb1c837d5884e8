import { z } from 'zod';

const id = z.string();
const columns = z.array(z.object({ name: z.string(), type: z.string().nullable(), description: z.string() }));
const assetKey = z.array(z.string()).nullable();

/** What `discover_dbt.py` writes: of the manifest, only what assets need. */
export const parsedManifest = z.object({
  error: z
    .object({
      kind: z.enum(['tool', 'project']),
      message: z.string(),
      file: z.string().nullable(),
      line: z.number(),
    })
    .nullable(),
  nodes: z.array(
    z.object({
      unique_id: id,
      resource_type: z.enum(['model', 'seed', 'snapshot']),
      name: z.string(),
      alias: z.string().nullable(),
      version: z.union([z.string(), z.number()]).nullable(),
      schema: z.string().nullable(),
      fqn: z.array(z.string()),
      tags: z.array(z.string()),
      materialized: z.string().nullable(),
      description: z.string(),
      columns,
      depends_on: z.array(id),
      checksum: z.string().nullable(),
      path: z.string(),
      asset_key: assetKey,
      group: z.string().nullable(),
      owners: z.array(z.string()).nullable(),
      /** dbt's own group, and the e-mail address of its owner. */
      dbt_group: z.string().nullable(),
      group_owner: z.string().nullable(),
      /** SQL of a full build, compiled without a connection. */
      compiled: z.string().nullable(),
    }),
  ),
  tests: z.array(
    z.object({
      unique_id: id,
      name: z.string(),
      attached_node: id.nullable(),
      severity: z.string(),
      depends_on: z.array(id),
      description: z.string(),
    }),
  ),
  sources: z.array(
    z.object({
      unique_id: id,
      source_name: z.string(),
      name: z.string(),
      asset_key: assetKey,
      description: z.string(),
      columns,
      path: z.string(),
      /** The worst that its freshness can come to; null: nobody asks for it. */
      freshness: z.enum(['WARN', 'ERROR']).nullable(),
    }),
  ),
  /** Unique ids per asset set of `dagster.yaml`. */
  sets: z.array(z.array(id)),
  /** Unique ids of `dbt.select` without `dbt.exclude`; null: everything. */
  selected: z.array(id).nullable(),
});

export type ParsedManifest = z.infer<typeof parsedManifest>;
export type ParsedSource = ParsedManifest['sources'][number];
export type ParsedNode = ParsedManifest['nodes'][number];
