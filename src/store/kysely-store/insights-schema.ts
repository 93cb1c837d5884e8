/** Of migration `0008-insights`. */
export interface InsightsTables {
  insights_cursor: InsightsCursorTable;
  asset_day: AssetDayTable;
  asset_day_duration: AssetDayDurationTable;
}

/** One row: everything up to and with the event is in the tables below. */
interface InsightsCursorTable {
  id: number;
  event_id: number;
}

/** See `insights/measures.ts`; seconds and delays in seconds. */
interface AssetDayTable {
  asset_id: number;
  day: number;
  materializations: number;
  rows: number;
  bytes: number;
  seconds: number;
  succeeded: number;
  failed: number;
  canceled: number;
  retries: number;
  scheduled: number;
  delay: number;
  longest_delay: number;
}

interface AssetDayDurationTable {
  asset_id: number;
  day: number;
  /** See `insights/durations.ts`. */
  bucket: number;
  n: number;
}
