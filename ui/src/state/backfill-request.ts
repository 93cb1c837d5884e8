import { signal } from '@preact/signals';
import type { BackfillWish } from './backfill-wish.ts';

export const backfillWish = signal<BackfillWish | null>(null);

export function requestBackfill(wish: BackfillWish): void {
  backfillWish.value = wish;
}

export function dropBackfill(): void {
  backfillWish.value = null;
}
