import type { Generated, Selectable } from 'kysely';

/** Of migration `0003-automation`. `check_name` is '' for the asset itself. */
export interface AutomationTables {
  automation_cursor: AutomationCursorTable;
  automation_evaluation: AutomationEvaluationTable;
}

interface AutomationCursorTable {
  asset_id: number;
  check_name: string;
  /** As `automation/cursor.ts` encodes it, JSON. */
  cursor: string;
}

interface AutomationEvaluationTable {
  evaluation_no: Generated<number>;
  /** Common to all that was evaluated at once. */
  evaluation: string;
  asset_id: number;
  check_name: string;
  at: number;
  /** How many partitions; 1 without partitions. */
  requested: number;
  spans: string;
  condition: string;
  explanation: string;
  launch_id: string | null;
  backfill_id: string | null;
}

export type AutomationEvaluationRow = Selectable<AutomationEvaluationTable>;
