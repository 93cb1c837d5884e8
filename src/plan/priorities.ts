// Of runs that wait for the same place the one with the highest priority is next. Schedules have 0.

/** What a person asks for: somebody waits for it. */
export const PEOPLE_PRIORITY = 10;

/** Backfills have time. */
export const BACKFILL_PRIORITY = -10;
