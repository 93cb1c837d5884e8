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
  const name = visible(file, HIDDEN);
  const place = file === '' ? '' : line === 0 ? `${name} ` : `${name}:${line}:${column} `;
  return `${place}${severity} ${code} ${visible(message, TURNING)}${hint === undefined ? '' : ` (${hint})`}`;
}

/** Marks of text direction, which make a name read as another one. */
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/** These, and what moves a terminal's cursor or begins a line. */
const HIDDEN = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

function visible(text: string, hidden: RegExp): string {
  return text.replace(hidden, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
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
