import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import * as asset from './contract/asset.ts';
import * as common from './contract/common.ts';
import * as component from './contract/component.ts';
import * as instance from './contract/instance.ts';
import * as run from './contract/run.ts';
import * as schedule from './contract/schedule.ts';
import * as system from './contract/system.ts';

const ProblemResponse = {
  description: 'A problem document (RFC 9457): `code` is a heading of docs/errors.md',
  content: { 'application/problem+json': { schema: common.Problem } },
};

/** Every route may answer with problems. */
export const problems = { '4xx': ProblemResponse, '5xx': ProblemResponse } as const;

/** The contract's schemas under their own names, so that the document has each of them once. */
const registry = z.registry<{ id: string }>();
for (const schemas of [asset, common, component, instance, run, schedule, system]) {
  for (const [name, schema] of Object.entries(schemas)) {
    if (schema instanceof z.ZodObject && !name.endsWith('Query')) registry.add(schema, { id: name });
  }
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
    transform: createJsonSchemaTransform({ schemaRegistry: registry }),
    transformObject: createJsonSchemaTransformObject({ schemaRegistry: registry }),
  };
}
