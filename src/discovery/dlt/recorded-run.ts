import { z } from 'zod';
import type { Diagnostic } from '../../lib/diagnostics.ts';
import type { DiscoveredAsset } from '../../state/snapshot.ts';
import type { PipelineConfig } from '../pipeline-config.ts';
import { dltResourceAsset } from './dlt-assets.ts';

const text = z.string().nullish();

/** What `discover_dlt.py` writes. */
export const recordedRun = z.object({
  error: z
    .object({
      kind: z.enum(['tool', 'import', 'network', 'exception']),
      type: z.string(),
      message: z.string(),
      module: z.string().nullable(),
      file: z.string().nullable(),
      line: z.number(),
    })
    .nullable(),
  resources: z.array(
    z.object({
      name: z.string(),
      description: text,
      cursor_path: text,
      write_disposition: text,
      primary_key: z.array(z.string()).optional(),
      columns: z.array(z.object({ name: z.string(), type: text, description: text })).optional(),
    }),
  ),
  pipelines: z.array(z.object({ name: text, destination: text, dataset: text })),
});

export type RecordedRun = z.infer<typeof recordedRun>;

export function assetsFromRecording(recording: RecordedRun, config: PipelineConfig): DiscoveredAsset[] {
  return recording.resources
    .map((resource) =>
      dltResourceAsset(config.name, {
        name: resource.name,
        ...given('description', resource.description),
        ...given('cursorPath', resource.cursor_path),
        ...given('writeDisposition', resource.write_disposition),
        ...(resource.primary_key === undefined || resource.primary_key.length === 0
          ? {}
          : { primaryKey: resource.primary_key }),
        ...(resource.columns === undefined
          ? {}
          : {
              columns: resource.columns.map(({ name, type, description }) => ({
                name,
                ...given('type', type),
                ...given('description', description),
              })),
            }),
        source: { file: `${config.dir}/${config.dlt!.script}`, line: 1, column: 1 },
      }),
    )
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

/**
 * What a recording that ended early means: code that cannot be imported will not run either, so it is an error; anything
 * else (a source that connects when it is called, a script that wants real data) only means that nobody can look ahead.
 */
export function recordingDiagnostics(recording: RecordedRun, config: PipelineConfig): Diagnostic[] {
  const { error } = recording;
  if (error === null) return [];
  const found = recording.resources.length;
  const place = { file: `${config.dir}/${error.file ?? config.dlt!.script}`, line: error.line, column: 1 };
  const what = `${error.type}: ${error.message}`;
  const [severity, message, hint] =
    error.kind === 'import'
      ? (['error', what, hintForImport(error.module)] as const)
      : error.kind === 'tool'
        ? (['error', `dlt cannot be imported: ${what}`, 'add dlt to the folder’s requirements.txt'] as const)
        : ([
            'warning',
            `the resources could not all be told without running it (${what}); ${found} found`,
            'list them in dagster.yaml: dlt: { resources: […] }',
          ] as const);
  return [
    {
      code: 'DISCOVERY_FAILED',
      severity,
      message,
      ...place,
      ...(error.line === 0 ? { column: 0 } : {}),
      hint,
    },
  ];
}

function hintForImport(module: string | null): string {
  return module === null ? 'correct the code' : `add the package of "${module}" to requirements.txt`;
}

function given<K extends string>(key: K, value: string | null | undefined): { readonly [P in K]?: string } {
  return value == null || value === '' ? {} : ({ [key]: value } as { readonly [P in K]?: string });
}
