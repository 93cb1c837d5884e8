import type { Migration } from 'kysely/migration';
import { up as first } from './0001-first.ts';

/** Every migration by name, in order of names. A released one is never edited. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = { '0001-first': { up: first } };
