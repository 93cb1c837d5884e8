import type { Definitions } from '../definitions/definitions.ts';
import type { Diagnostic } from '../lib/diagnostics.ts';
import type { Condition, Snapshot } from '../state/snapshot.ts';
import type { SnapshotDiff } from '../state/snapshot-diff.ts';
import type { RefreshTrigger } from '../store/store.ts';
import type { ControlState } from './control.ts';

export interface RefreshOutcome {
  readonly component: string;
  /** `unchanged`: equal commit and equal settings, nothing was done. `failed`: what was served before still is. */
  readonly status: 'applied' | 'unchanged' | 'failed';
  readonly revisionId: number | null;
  readonly commit: string | null;
  readonly diff: SnapshotDiff;
  readonly diagnostics: readonly Diagnostic[];
  readonly seconds: number;
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string } | null;
  /** Of `unchanged`: why nothing was applied although the branch has something else (pinned, rolled back, suspended). */
  readonly note?: string;
}

export interface RefreshOptions {
  /** A person confirmed that a revision without any pipeline may be applied (`PRUNE_GUARD`). */
  readonly allowPrune?: boolean;
}

/** What the remote has at the ref, as it was last seen. */
export interface RemoteHead {
  readonly commit: string;
  /** Commits that it has beyond the served one; null: it cannot be told, or it is not ahead. */
  readonly ahead: number | null;
}

export interface ComponentStatus {
  readonly name: string;
  readonly repoUrl: string;
  readonly ref: string;
  readonly conditions: readonly Condition[];
  readonly lastAttempted: { readonly at: number; readonly commit: string | null } | null;
  readonly lastApplied: { readonly at: number; readonly commit: string; readonly revisionId: number } | null;
  readonly snapshot: Snapshot | null;
  /** What a person set over what Git says; null: nothing. */
  readonly control: ControlState | null;
  /** Null: it was not looked at since the start. */
  readonly remoteHead: RemoteHead | null;
  readonly refreshing: boolean;
  readonly nextRefreshAt: number | null;
}

/** What the surface and the daemons see of the GitOps side (law 1: everybody only asks for a refresh). */
export interface ComponentService {
  /** The published definitions of all components together; one reference, replaced whole. */
  definitions(): Definitions;
  onPublished(listener: (definitions: Definitions) => void): () => void;
  components(): readonly ComponentStatus[];
  component(name: string): ComponentStatus | null;
  /** Coalesced: at most one in flight and one waiting per component; resolves when a refresh begun after the call ended. */
  requestRefresh(
    component: string,
    trigger: RefreshTrigger,
    options?: RefreshOptions,
  ): Promise<RefreshOutcome>;
  /** The raw text of a file at a component's applied commit, for excerpts; null if it is not there. */
  readFile(component: string, commit: string, path: string): Promise<string | null>;
  close(): Promise<void>;
}
