import type { Diagnostic } from '../lib/diagnostics.ts';
import { hasErrors } from '../lib/diagnostics.ts';
import type { CodeRef } from '../state/code-ref.ts';
import type { DiscoveredAsset, DiscoveryInfo, PipelineState } from '../state/snapshot.ts';
import { nearest } from './config/suggest.ts';
import type { DiscoverInput, DiscoveryJob, DiscoveryResult, FolderOutcome } from './discover.ts';
import { type PipelineConfig, pipelineName } from './pipeline-config.ts';
import type { FolderReading } from './read-folder.ts';
import { missingVariables } from './step-variables.ts';

type GoodReading = FolderReading & { readonly ok: true };

/**
 * A folder's reading with what lies outside its tree: the result of its background job, if it needs one and one is there,
 * what was served before, and the variables that the service has.
 */
export function finishFolder(
  reading: GoodReading,
  code: CodeRef,
  input: Pick<DiscoverInput, 'results' | 'environment' | 'ahead'>,
  previous: PipelineState | undefined,
): { readonly folder: FolderOutcome; readonly job: DiscoveryJob | null } {
  const { config, inputsDigest } = reading;
  const result = reading.job === null ? undefined : input.results.get(inputsDigest);
  const diagnostics: Diagnostic[] = [
    ...reading.diagnostics,
    ...missingVariables(config, reading.variables, reading.references, input.environment),
    ...(result?.diagnostics ?? []),
  ].map((one) => ({ ...one, pipeline: pipelineName(config) }));
  // A look ahead that failed is a warning as long as the code itself tells what there is.
  const nothingKnown = result?.status === 'failed' && reading.assets.length === 0;
  if (nothingKnown || (result !== undefined && hasErrors(result.diagnostics))) {
    const worst = nothingKnown && !hasErrors(diagnostics) ? asErrors(diagnostics, result) : diagnostics;
    return {
      folder: {
        ok: false,
        name: pipelineName(config),
        dir: config.dir,
        diagnostics: worst,
        ...(previous !== undefined && isGuess(previous, inputsDigest) ? { neverGood: true } : {}),
      },
      job: null,
    };
  }
  const known = settled(reading, result, previous);
  const job =
    known === null && reading.job !== null
      ? { kind: reading.job, inputsDigest, pipeline: pipelineName(config), code, config }
      : null;
  const isAhead = input.ahead !== undefined;
  if (known === null && previous !== undefined && !isAhead && isProven(previous, input.results)) {
    // Nobody knows yet whether the new code can be read at all: the folder stays where it is until the job says so.
    const waiting: DiscoveryInfo = { ...previous.discovery, status: 'pending', proven: true };
    const state: PipelineState = { ...previous, discovery: waiting };
    return { folder: { ok: true, state, diagnostics: sorted(diagnostics) }, job };
  }
  const { assets, discovery } = known ?? {
    assets: isAhead ? likelyAssets(reading, previous) : reading.assets,
    discovery: { method: reading.method, status: 'pending', inputsDigest },
  };
  if (discovery.status === 'complete') diagnostics.push(...idleOverrides(reading, assets));
  const state: PipelineState = {
    name: pipelineName(config),
    config,
    code,
    status: 'current',
    assets: assets.map((asset) => withPartitions(asset, config)).sort((a, b) => (a.key < b.key ? -1 : 1)),
    discovery,
  };
  return { folder: { ok: true, state, diagnostics: sorted(diagnostics) }, job };
}

/**
 * What a job will most likely find, as far as the files tell: assets that are known stay as they are known, new ones come,
 * and of dbt those go whose file is gone. Of code that makes its resources when it runs nothing is taken for gone.
 */
function likelyAssets(reading: GoodReading, previous: PipelineState | undefined): readonly DiscoveredAsset[] {
  const isRead = reading.job === 'environment';
  if (isRead || previous === undefined || previous.config.tool !== reading.config.tool) return reading.assets;
  const known = new Map(previous.assets.map((asset) => [asset.key, asset]));
  const found = reading.assets.map((asset) => {
    const old = known.get(asset.key);
    return old === undefined ? asset : { ...old, ...pick(asset, 'codeVersion'), ...pick(asset, 'assetSet') };
  });
  const keys = new Set(found.map((asset) => asset.key));
  const files = new Set(reading.files);
  const project = projectOf(reading.assets[0]);
  const left = previous.assets.filter((asset) => {
    if (keys.has(asset.key)) return false;
    // Of packages the files are not here.
    const isOwn = reading.job === 'dbt_parse' && projectOf(asset) === project;
    return !isOwn || asset.source === undefined || files.has(asset.source.file);
  });
  return [...found, ...left];
}

/** `shop` of the dbt id `model.shop.orders`. */
function projectOf(asset: DiscoveredAsset | undefined): string | undefined {
  return asset?.resource?.split('.')[1];
}

function pick<K extends keyof DiscoveredAsset>(asset: DiscoveredAsset, key: K): Partial<DiscoveredAsset> {
  return asset[key] === undefined ? {} : { [key]: asset[key] };
}

interface Discovered {
  readonly assets: readonly DiscoveredAsset[];
  readonly discovery: DiscoveryInfo;
}

/** What is known for good; null: a job has to tell. */
function settled(
  reading: GoodReading,
  result: DiscoveryResult | undefined,
  previous: PipelineState | undefined,
): Discovered | null {
  const { inputsDigest, method } = reading;
  if (reading.job === null) {
    return { assets: reading.assets, discovery: { method, status: 'complete', inputsDigest } };
  }
  if (result?.status === 'failed') {
    return { assets: reading.assets, discovery: { method, status: 'failed', inputsDigest } };
  }
  if (result !== undefined) {
    const { envKey } = result;
    const isRead = reading.job === 'environment';
    const assets = isRead ? reading.assets : withOwnVersions(result.assets, reading.assets);
    const found = isRead ? method : reading.job === 'dbt_parse' ? 'manifest' : 'recorded';
    const discovery = { method: found, status: 'complete', inputsDigest } as const;
    return { assets, discovery: envKey === undefined ? discovery : { ...discovery, envKey } };
  }
  // Equal inputs, equal answer: it need not be asked again if the result itself is gone.
  const same = previous?.discovery.inputsDigest === inputsDigest && previous.discovery.status === 'complete';
  if (!same) return null;
  return {
    assets: reading.job === 'environment' ? reading.assets : previous.assets,
    discovery: previous.discovery,
  };
}

/**
 * dbt's checksum of a model changes with every comment and space in it; where the file is at hand its meaning counts
 * (`content-digest.ts`).
 */
function withOwnVersions(
  assets: readonly DiscoveredAsset[],
  read: readonly DiscoveredAsset[],
): readonly DiscoveredAsset[] {
  const own = new Map(
    read.flatMap(({ resource, codeVersion }) =>
      resource === undefined || codeVersion === undefined ? [] : [[resource, codeVersion] as const],
    ),
  );
  return assets.map((asset) => {
    const codeVersion = own.get(asset.resource ?? '');
    return codeVersion === undefined || asset.kind !== 'dbt' ? asset : { ...asset, codeVersion };
  });
}

/** Whether what this state says was once known for good: by a job, or by the code alone. */
function isProven(state: PipelineState, results: DiscoverInput['results']): boolean {
  const { status, inputsDigest, proven } = state.discovery;
  return proven === true || status === 'complete' || results.get(inputsDigest)?.status === 'complete';
}

/** This very code, served before its job had run. */
function isGuess({ discovery }: PipelineState, inputsDigest: string): boolean {
  return (
    discovery.status === 'pending' && discovery.proven !== true && discovery.inputsDigest === inputsDigest
  );
}

/** Partitions of a dbt asset set; they are settings, so no job has to run when they change. */
function withPartitions(asset: DiscoveredAsset, config: PipelineConfig): DiscoveredAsset {
  if (asset.assetSet === undefined) return asset;
  const { partitions: _, ...rest } = asset;
  return { ...rest, partitions: config.dbt?.assetSets[asset.assetSet]?.partitions ?? null };
}

function asErrors(diagnostics: readonly Diagnostic[], result: DiscoveryResult): Diagnostic[] {
  const codes = new Set(result.diagnostics.map((one) => one.message));
  return diagnostics.map((one) => (codes.has(one.message) ? { ...one, severity: 'error' } : one));
}

/** Settings under `assets:` for assets that the folder does not have. */
function idleOverrides(reading: GoodReading, assets: readonly DiscoveredAsset[]): Diagnostic[] {
  if (reading.overrides.length === 0) return [];
  const { config } = reading;
  const known = new Set<string>();
  for (const { key, resource } of assets) {
    known.add(key).add(key.slice(key.lastIndexOf('/') + 1));
    if (resource !== undefined) known.add(resource);
  }
  return reading.overrides
    .filter(({ name }) => !known.has(name))
    .map(({ name, source }) => {
      const near = nearest(name, known);
      const hint =
        near === null ? `known are ${[...known].slice(0, 12).join(', ')}` : `did you mean "${near}"?`;
      return {
        code: 'CONFIG_VALUE',
        severity: 'warning',
        message: `${config.name} has no asset "${name}"; the settings have no effect`,
        ...source,
        hint,
        path: `assets.${name}`,
        pipeline: pipelineName(config),
      };
    });
}

function sorted(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.toSorted((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line));
}
