import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

export interface ImportStatement {
  /** Importing file, relative to the root: `src/plan/plan-run.ts`. */
  readonly from: string;
  readonly line: number;
  /** `src/…` for our own files, else the package's or `node:` name. */
  readonly to: string;
  readonly typeOnly: boolean;
}

export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const IMPORT =
  /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

export function readSources(root: string, folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: relative(root, file), text: readFileSync(file, 'utf8') }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function importsOf({ path, text }: SourceFile): ImportStatement[] {
  return [...text.matchAll(IMPORT)].map((match) => {
    const name = match[2] ?? match[3]!;
    const to = name.startsWith('.') ? normalize(join(dirname(path), name)) : name;
    const line = text.slice(0, match.index + match[0].search(/\S/)).split('\n').length;
    return { from: path, line, to, typeOnly: match[1] !== undefined };
  });
}

/** First folder below `src`: `plan` of `src/plan/plan-run.ts`, `main.ts` of `src/main.ts`. */
export function folderOf(path: string): string {
  return path.split('/')[1]!;
}
