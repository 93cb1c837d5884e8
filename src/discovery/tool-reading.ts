import type { DiscoveredAsset, DiscoveryInfo } from '../state/snapshot.ts';
import type { DiscoveryJob } from './discover.ts';
import type { PipelineConfig } from './pipeline-config.ts';
import type { VariableRead } from './python/environment-reads.ts';

/** What a folder's own files tell, before results of background jobs. */
export interface ToolReading {
  readonly config: PipelineConfig;
  readonly assets: readonly DiscoveredAsset[];
  readonly method: DiscoveryInfo['method'];
  /** Work without which `assets` is a best effort; `inputs` is what its result depends on besides the files. */
  readonly job: { readonly kind: DiscoveryJob['kind']; readonly inputs: unknown } | null;
  readonly variables: readonly VariableRead[];
}
