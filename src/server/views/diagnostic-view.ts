import type { ComponentService } from '../../component/component.ts';
import type { Diagnostic as DomainDiagnostic } from '../../lib/diagnostics.ts';
import type { Diagnostic } from '../contract/common.ts';
import { linkOf, type ViewContext } from './view-context.ts';

const LINES_AROUND = 2;
const LONGEST_LINE = 400;
/** Files read for one answer: enough for a screen, bounded when a thousand folders are broken. */
const MOST_FILES = 50;

/**
 * Diagnostics of one commit with the lines at fault. `reader` gives the file at that commit; each file is read once,
 * and only so many: the rest comes without its excerpt.
 */
export async function diagnosticViews(
  context: ViewContext,
  reader: Pick<ComponentService, 'readFile'>,
  component: string,
  commit: string | null,
  diagnostics: readonly DomainDiagnostic[],
): Promise<Diagnostic[]> {
  const names = new Set<string>();
  for (const { file, line } of diagnostics)
    if (file !== '' && line > 0 && names.size < MOST_FILES) names.add(file);
  const files = new Map<string, readonly string[]>();
  if (commit !== null) {
    await Promise.all(
      [...names].map(async (file) => {
        const text = await reader.readFile(component, commit, file);
        if (text !== null) files.set(file, text.split(/\r?\n/));
      }),
    );
  }
  return diagnostics.map((diagnostic) => ({
    code: diagnostic.code,
    severity: diagnostic.severity,
    message: diagnostic.message,
    file: diagnostic.file,
    line: diagnostic.line,
    column: diagnostic.column,
    hint: diagnostic.hint ?? null,
    path: diagnostic.path ?? null,
    pipeline: diagnostic.pipeline ?? null,
    component,
    excerpt: excerptOf(files.get(diagnostic.file), diagnostic.line),
    url:
      commit === null || diagnostic.file === ''
        ? null
        : linkOf(context, component, { commit, path: diagnostic.file, line: diagnostic.line }),
  }));
}

/** The line (from 1) with those around it. */
export function excerptOf(lines: readonly string[] | undefined, line: number): Diagnostic['excerpt'] {
  if (lines === undefined || line < 1 || line > lines.length) return [];
  const first = Math.max(1, line - LINES_AROUND);
  const last = Math.min(lines.length, line + LINES_AROUND);
  const excerpt: Diagnostic['excerpt'] = [];
  for (let number = first; number <= last; number += 1) {
    excerpt.push({ line: number, text: (lines[number - 1] ?? '').slice(0, LONGEST_LINE) });
  }
  return excerpt;
}
