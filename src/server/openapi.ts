import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import * as alert from './contract/alert.ts';
import * as asset from './contract/asset.ts';
import * as automation from './contract/automation.ts';
import * as backfill from './contract/backfill.ts';
import * as common from './contract/common.ts';
import * as component from './contract/component.ts';
import * as dltState from './contract/dlt-state.ts';
import * as history from './contract/history.ts';
import * as insights from './contract/insights.ts';
import * as instance from './contract/instance.ts';
import * as plan from './contract/plan.ts';
import * as run from './contract/run.ts';
import * as schedule from './contract/schedule.ts';
import * as system from './contract/system.ts';
import * as timeline from './contract/timeline.ts';

const ProblemResponse = {
  description: 'A problem document (RFC 9457): `code` is a heading of docs/errors.md',
  content: { 'application/problem+json': { schema: common.Problem } },
};

/** Every route may answer with problems. */
export const problems = { '4xx': ProblemResponse, '5xx': ProblemResponse } as const;

/** The contract's schemas under their own names, so that the document has each of them once. */
const registry = z.registry<{ id: string }>();
for (const schemas of [
  alert,
  asset,
  automation,
  backfill,
  common,
  component,
  dltState,
  history,
  insights,
  instance,
  plan,
  run,
  schedule,
  system,
  timeline,
]) {
  for (const [name, schema] of Object.entries(schemas)) {
    if (schema instanceof z.ZodObject && !name.endsWith('Query')) registry.add(schema, { id: name });
  }
}

const SCHEMAS = {
  schemaRegistry: registry,
  zodToJsonConfig: {
    // What `.describe` says is kept in zod's own registry, which one with names of its own stands in front of.
    override({ zodSchema, jsonSchema }: SchemaContext): void {
      const description = z.globalRegistry.get(zodSchema)?.description;
      if (description !== undefined) jsonSchema.description = description;
    },
  },
} as const;

interface SchemaContext {
  readonly zodSchema: z.core.$ZodType;
  readonly jsonSchema: { description?: string | undefined };
}

export function openapiOptions(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'ELT GitOps',
        version,
        description:
          'Lists are `{items, next_cursor}`. Errors are problem documents. With `ELT_API_TOKEN` set a bearer token is needed.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }, {}],
    },
    transform: createJsonSchemaTransform(SCHEMAS),
    transformObject: (documentObject) => usedSchemas(inlineNames(documentObject)),
  };
}

const inlineNames = createJsonSchemaTransformObject(SCHEMAS);

type Document = ReturnType<typeof inlineNames>;

/** The transform writes each schema twice, as input and as output: what no route refers to is left out. */
function usedSchemas(document: Document): Document {
  const { components = {}, ...rest } = document as { components?: { schemas?: Record<string, unknown> } };
  const schemas = components.schemas ?? {};
  const used = new Map<string, unknown>();
  const open = namesIn(rest);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (used.has(name)) continue;
    used.set(name, schemas[name]);
    open.push(...namesIn(schemas[name]));
  }
  const sorted = [...used].sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...document, components: { ...components, schemas: Object.fromEntries(sorted) } } as Document;
}

function namesIn(value: unknown): string[] {
  return [...(JSON.stringify(value) ?? '').matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(
    (match) => match[1]!,
  );
}
