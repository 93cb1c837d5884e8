import { signal } from '@preact/signals';
import type { Stretch } from '../../lib/stretch.ts';

/** The time of the log lines in view: the steps show where that is. */
export const logInView = signal<Stretch | null>(null);

/** A moment of an attempt that somebody pointed at: its log goes there. */
export const wantedMoment = signal<{
  readonly step: string;
  readonly attempt: number;
  readonly at: number;
} | null>(null);
