import type { Diagnostic, Severity } from '../../lib/diagnostics.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { Position } from '../yaml/yaml-value.ts';

/** Collects what is wrong with one file: every mistake at once, each with its place. */
export class ConfigReader {
  readonly file: string;
  readonly diagnostics: Diagnostic[] = [];

  constructor(file: string) {
    this.file = file;
  }

  error(code: ErrorCode, at: Position, path: string, message: string, hint?: string): void {
    this.report('error', code, at, path, message, hint);
  }

  warning(code: ErrorCode, at: Position, path: string, message: string, hint?: string): void {
    this.report('warning', code, at, path, message, hint);
  }

  report(
    severity: Severity,
    code: ErrorCode,
    at: Position,
    path: string,
    message: string,
    hint?: string,
  ): void {
    this.diagnostics.push({
      code,
      severity,
      message,
      file: this.file,
      line: at.line,
      column: at.column,
      ...(hint === undefined ? {} : { hint }),
      ...(path === '' ? {} : { path }),
    });
  }
}
