import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openapiDocument } from '../src/server/openapi-document.ts';

/** Writes docs/openapi.json from the routes and their schemas: node scripts/write-openapi.ts */
await writeFile(join(import.meta.dirname, '..', 'docs', 'openapi.json'), await openapiDocument());
