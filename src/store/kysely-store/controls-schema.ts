/** Of migration `0004-controls`. */
export interface ControlTables {
  control: ControlTable;
}

interface ControlTable {
  component: string;
  mode: string;
  /** Null while it is suspended. */
  revision_id: number | null;
  commit_sha: string | null;
  /** JSON array of commits. */
  fenced: string;
  set_by: string;
  set_at: number;
  reason: string;
  expires_at: number | null;
}
