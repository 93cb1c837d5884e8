import { ERRORS, EXIT, type ExitCode, isErrorCode } from '../lib/errors.ts';
import type { Diagnostic } from '../server/contract/common.ts';
import type { RefreshResult, SnapshotDiff } from '../server/contract/component.ts';
import type { CliContext } from './context.ts';
import { duration } from './format.ts';
import { painter, printable } from './render.ts';

/** Errors in the repository and a refresh that failed are no success. */
export function exitOf({ status: outcome, error, diagnostics }: RefreshResult): ExitCode {
  if (outcome === 'failed') {
    return error !== null && isErrorCode(error.code)
      ? ERRORS[error.code].exit || EXIT.upstream
      : EXIT.upstream;
  }
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error')
    ? EXIT.invalidConfiguration
    : EXIT.ok;
}

/** What a refresh did, and why if it did nothing. */
export function refreshText(context: CliContext, result: RefreshResult): string {
  const paint = painter(context.color);
  const commit = result.commit?.slice(0, 7) ?? '';
  const head = `${result.component}: ${result.status}${commit === '' ? '' : ` ${commit}`} in ${duration(result.seconds)}`;
  if (result.error !== null) {
    const hint = result.error.hint === null ? '' : `\n  ${result.error.hint}`;
    return `${head}\n${paint('red', `${result.error.code} ${printable(result.error.message)}`)}${hint}`;
  }
  const note = result.note === null ? [] : [paint('yellow', printable(result.note))];
  return [
    head,
    ...note,
    ...diffLines(result.diff, paint),
    ...diagnosticLines(result.diagnostics, paint),
  ].join('\n');
}

function diffLines({ added, removed, changed }: SnapshotDiff, paint: ReturnType<typeof painter>): string[] {
  return [
    ...added.map((name) => paint('green', `+ ${name}`)),
    ...removed.map((name) => paint('red', `- ${name}`)),
    ...changed.flatMap(({ pipeline, fields }) => [
      paint('yellow', `~ ${pipeline}`),
      ...fields.map(({ field, from, to }) =>
        field === 'content' ? '    other code' : `    ${field}: ${brief(from)} → ${brief(to)}`,
      ),
    ]),
  ];
}

function brief(value: unknown): string {
  const text = printable(JSON.stringify(value) ?? 'null');
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** Each with its place, code and what to do. */
export function diagnosticLines(
  diagnostics: readonly Diagnostic[],
  paint: ReturnType<typeof painter>,
): string[] {
  return diagnostics.flatMap(({ file, line, column, severity, code, message, hint }) => {
    const place = file === '' ? '' : line === 0 ? `${file} ` : `${file}:${line}:${column} `;
    const color = severity === 'error' ? 'red' : severity === 'warning' ? 'yellow' : 'dim';
    const text = `${printable(place)}${paint(color, `${severity} ${code}`)} ${printable(message)}`;
    return hint === null ? [text] : [text, `  ${printable(hint)}`];
  });
}
