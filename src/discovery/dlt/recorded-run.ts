import { z } from 'zod';
import type { Diagnostic } from '../../lib/diagnostics.ts';
import type { DiscoveredAsset } from '../../state/snapshot.ts';
import { ConfigReader } from '../config/config-reader.ts';
import type { PipelineConfig } from '../pipeline-config.ts';
import type { PythonLiteral } from '../python/python-literal.ts';
import { settingsOf } from './configured-assets.ts';
import { dltResourceAsset } from './dlt-assets.ts';

const text = z.string().nullish();
const LITERAL: z.ZodType<PythonLiteral> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(LITERAL), z.record(z.string(), LITERAL)]),
);

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
      /** What `ConfigurableDltResource.config(…)` was given, and the line that gave it. */
      kinds: z.array(z.string()).nullish(),
      meta: z.record(z.string(), LITERAL).nullish(),
      line: z.number().nullish(),
    }),
  ),
  pipelines: z.array(z.object({ name: text, destination: text, dataset: text })),
});

export type RecordedRun = z.infer<typeof recordedRun>;

/** @returns the assets, and what is wrong with the settings that the code gives them */
export function assetsFromRecording(
  recording: RecordedRun,
  config: PipelineConfig,
): { readonly assets: readonly DiscoveredAsset[]; readonly diagnostics: readonly Diagnostic[] } {
  const file = `${config.dir}/${config.dlt!.script}`;
  const reader = new ConfigReader(file);
  const named =
    config.dlt!.destination ?? recording.pipelines.find(({ destination }) => destination)?.destination;
  const kinds = named == null ? [] : [named];
  const assets = recording.resources
    .map((resource) => {
      const at = { line: resource.line ?? 1, column: 1 };
      const overrides = settingsOf(reader, resource, at);
      const asset = dltResourceAsset(config.name, kinds, {
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
        source: { file, ...at },
      });
      return overrides === undefined ? asset : { ...asset, overrides };
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  return { assets, diagnostics: reader.diagnostics };
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
