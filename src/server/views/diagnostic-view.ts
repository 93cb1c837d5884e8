import type { ComponentService } from '../../component/component.ts';
import { createRedactor } from '../../lib/secret.ts';
import type { Diagnostic } from '../contract/common.ts';
import type { PlacedDiagnostic } from './all-diagnostics.ts';
import { linkOf, type ViewContext } from './view-context.ts';

/** Passwords in addresses: a neighbouring line may be the one that should not hold one. */
const redact = createRedactor([]);
const LINES_AROUND = 2;
const LONGEST_LINE = 400;
/** Files read for one answer: enough for a screen, bounded when a thousand folders are broken. */
const MOST_FILES = 50;

/**
 * Diagnostics with the lines at fault. `reader` gives a file at a commit; each file is read once, and only so many: the
 * rest comes without its excerpt.
 */
export async function diagnosticViews(
  context: ViewContext,
  reader: Pick<ComponentService, 'readFile'>,
  placed: readonly PlacedDiagnostic[],
): Promise<Diagnostic[]> {
  const files = new Map<string, Promise<readonly string[] | undefined>>();
  function linesOf({
    component,
    commit,
    diagnostic,
  }: PlacedDiagnostic): Promise<readonly string[] | undefined> {
    const { file, line } = diagnostic;
    if (commit === null || file === '' || line < 1) return Promise.resolve(undefined);
    const id = `${component}\n${commit}\n${file}`;
    const known = files.get(id);
    if (known !== undefined || files.size >= MOST_FILES) return known ?? Promise.resolve(undefined);
    const lines = reader.readFile(component, commit, file).then((text) => text?.split(/\r?\n/));
    files.set(id, lines);
    return lines;
  }
  return Promise.all(
    placed.map(async (entry) => {
      const { component, commit, diagnostic } = entry;
      const { file, line } = diagnostic;
      return {
        code: diagnostic.code,
        severity: diagnostic.severity,
        message: diagnostic.message,
        file,
        line,
        column: diagnostic.column,
        hint: diagnostic.hint ?? null,
        path: diagnostic.path ?? null,
        pipeline: diagnostic.pipeline ?? null,
        component,
        // A line that is wrong because it holds a secret is shown to nobody.
        excerpt: diagnostic.code === 'SECRET_IN_REPOSITORY' ? [] : excerptOf(await linesOf(entry), line),
        url: commit === null || file === '' ? null : linkOf(context, component, { commit, path: file, line }),
      };
    }),
  );
}

/** The line (from 1) with those around it. */
export function excerptOf(lines: readonly string[] | undefined, line: number): Diagnostic['excerpt'] {
  if (lines === undefined || line < 1 || line > lines.length) return [];
  const first = Math.max(1, line - LINES_AROUND);
  const last = Math.min(lines.length, line + LINES_AROUND);
  const excerpt: Diagnostic['excerpt'] = [];
  for (let number = first; number <= last; number += 1) {
    excerpt.push({ line: number, text: redact(lines[number - 1] ?? '').slice(0, LONGEST_LINE) });
  }
  return excerpt;
}
