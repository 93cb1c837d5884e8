export type Severity = 'error' | 'warning' | 'info';

/**
 * A user's mistake as a value: what, where, what to do. `line` and `column` count from 1; 0 means that the whole file
 * (or no file: `file` is then '') is meant. `code` is an entry of the catalogue in `errors.ts`.
 */
export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly hint?: string;
  /** Dotted path of the key at fault, `partitions.time.cron_schedule`. */
  readonly path?: string;
  /** Name of the pipeline that the diagnostic belongs to, if it belongs to one. */
  readonly pipeline?: string;
}

/** `pipelines/dlt/orders/dagster.yaml:12:18 error PARTITION_CRON_INVALID "0 0 * *" has 4 fields, 5 are needed` */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, severity, code, message, hint } = diagnostic;
  const place = file === '' ? '' : line === 0 ? `${file} ` : `${file}:${line}:${column} `;
  return `${place}${severity} ${code} ${message}${hint === undefined ? '' : ` (${hint})`}`;
}

export function compareDiagnostics(a: Diagnostic, b: Diagnostic): number {
  return (
    compare(a.file, b.file) ||
    a.line - b.line ||
    a.column - b.column ||
    compare(a.code, b.code) ||
    compare(a.message, b.message)
  );
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
