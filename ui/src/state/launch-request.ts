import { signal } from '@preact/signals';
import type { AssetSummary } from '../../../src/server/contract/asset.ts';

/** What somebody wants to materialize: the dialog asks for the partitions. */
export type LaunchWish =
  | { readonly kind: 'all' }
  | {
      readonly kind: 'assets';
      readonly assets: readonly AssetSummary[];
      /** Partitions chosen beforehand, on a strip or a matrix. */
      readonly keys?: readonly string[];
      readonly range?: { readonly start: string; readonly end: string };
    };

export const launchWish = signal<LaunchWish | null>(null);

export function requestLaunch(wish: LaunchWish): void {
  launchWish.value = wish;
}

export function dropLaunch(): void {
  launchWish.value = null;
}
