import type { Migration } from 'kysely/migration';
import { up as first } from './0001-first.ts';
import { up as backfills } from './0002-backfills.ts';
import { up as automation } from './0003-automation.ts';
import { up as controls } from './0004-controls.ts';
import { up as outbox } from './0005-outbox.ts';
import { up as partitionStatus } from './0006-partition-status.ts';
import { up as alerts } from './0007-alerts.ts';
import { up as insights } from './0008-insights.ts';

/** Every migration by name, in order of names. A released one is never edited. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-first': { up: first },
  '0002-backfills': { up: backfills },
  '0003-automation': { up: automation },
  '0004-controls': { up: controls },
  '0005-outbox': { up: outbox },
  '0006-partition-status': { up: partitionStatus },
  '0007-alerts': { up: alerts },
  '0008-insights': { up: insights },
};
