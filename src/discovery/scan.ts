import type { Diagnostic } from '../lib/diagnostics.ts';
import type { RepositoryFile } from './discover.ts';

/** A folder that is meant as a pipeline; which tool it is for is read from its files. */
export interface Candidate {
  readonly name: string;
  readonly dir: string;
  /** By path inside the folder; what is skipped everywhere (`__pycache__`, `target/`, …) is left out. */
  readonly files: ReadonlyMap<string, RepositoryFile>;
}

export interface ScanResult {
  readonly candidates: readonly Candidate[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Files that make a folder a pipeline by themselves. */
const STRONG =
  /^(?:dbt_project\.yml|replication\.ya?ml|pipeline\.py|\w+_pipeline\.py|\.dango\/sources\.yml)$/;
/** Files that only do so by what they hold, or together with others. */
const WEAK = /^(?:dagster\.ya?ml|definitions\.py|sources\.yml)$/;

const SKIPPED = new Set(['__pycache__', 'node_modules', 'target', 'venv', 'site-packages', 'dbt_packages']);
/** Hidden folders that tools read their configuration from. */
const HIDDEN_READ = new Set(['.dlt', '.dango', '.streamlit']);
/** `pipelines/<tool>/<name>/` and `pipelines/<name>/`. */
const DEEPEST = 2;

/**
 * Finds the pipeline folders below the pipelines directory, in both layouts; what lies inside a pipeline belongs to it.
 * If there is none, a diagnostic names the folder that would match.
 */
export function scanRepository(files: readonly RepositoryFile[], pipelinesDirectory: string): ScanResult {
  const root = normaliseDirectory(pipelinesDirectory);
  const environments = virtualEnvironments(files);
  const below = new Map<string, RepositoryFile[]>();
  const outside: RepositoryFile[] = [];
  for (const file of files) {
    const inside = pathBelow(root, file.path);
    if (inside === null) {
      outside.push(file);
      continue;
    }
    const parts = inside.split('/');
    if (parts.length < 2) continue;
    const isRead = !isSkipped(parts.slice(0, -1)) && !isInside(file.path, environments);
    // What is skipped is laid out for a step all the same: what must not be laid out has to be seen.
    if (!isRead && !isSuspect(file, parts)) continue;
    const top = parts[0]!;
    const list = below.get(top);
    if (list === undefined) below.set(top, [file]);
    else list.push(file);
  }
  const candidates: Candidate[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const [top, entries] of below) collect(join(root, top), entries, candidates, diagnostics);
  candidates.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.dir < b.dir ? -1 : 1));
  if (candidates.length === 0) diagnostics.push(nothingFound(root, [...below.values()].flat(), outside));
  return { candidates, diagnostics };
}

function collect(
  dir: string,
  files: readonly RepositoryFile[],
  candidates: Candidate[],
  diagnostics: Diagnostic[],
): void {
  const own = candidate(dir, files);
  const strength = strengthOf(own);
  if (strength === 'strong') {
    candidates.push(own);
    return;
  }
  const children = [...bySubfolder(dir, files)].map(([child, entries]) => candidate(child, entries));
  const pipelines = children.filter((child) => strengthOf(child) !== null);
  if (strength === 'weak' && pipelines.length === 0) {
    candidates.push(own);
    return;
  }
  candidates.push(...pipelines);
  if (strength === 'weak') {
    const file = own.files.has('dagster.yaml') ? 'dagster.yaml' : 'definitions.py';
    diagnostics.push({
      code: 'CONFIG_VALUE',
      severity: 'warning',
      message: `${dir} holds pipelines and is none itself: its ${file} is not read`,
      file: `${dir}/${file}`,
      line: 1,
      column: 1,
      hint: 'move the file into the folder of one pipeline',
    });
  }
}

function candidate(dir: string, files: readonly RepositoryFile[]): Candidate {
  const prefix = `${dir}/`.length;
  return {
    name: dir.slice(dir.lastIndexOf('/') + 1),
    dir,
    files: new Map(files.map((file) => [file.path.slice(prefix), file])),
  };
}

function strengthOf(folder: Candidate): 'strong' | 'weak' | null {
  let weak = false;
  for (const path of folder.files.keys()) {
    if (STRONG.test(path)) return 'strong';
    if (WEAK.test(path)) weak = true;
  }
  return weak ? 'weak' : null;
}

function bySubfolder(dir: string, files: readonly RepositoryFile[]): Map<string, RepositoryFile[]> {
  const groups = new Map<string, RepositoryFile[]>();
  for (const file of files) {
    const rest = file.path.slice(dir.length + 1);
    const slash = rest.indexOf('/');
    if (slash === -1) continue;
    const child = `${dir}/${rest.slice(0, slash)}`;
    const list = groups.get(child);
    if (list === undefined) groups.set(child, [file]);
    else list.push(file);
  }
  return groups;
}

function isSkipped(folders: readonly string[]): boolean {
  return folders.some((name) => SKIPPED.has(name) || (name.startsWith('.') && !HIDDEN_READ.has(name)));
}

function isSuspect({ mode }: RepositoryFile, parts: readonly string[]): boolean {
  return mode === '120000' || mode === '160000' || parts.includes('..') || parts.includes('.git');
}

/** Folders with a `pyvenv.cfg`, whatever they are called. */
function virtualEnvironments(files: readonly RepositoryFile[]): string[] {
  return files
    .filter(({ path }) => path.endsWith('/pyvenv.cfg'))
    .map(({ path }) => path.slice(0, -'pyvenv.cfg'.length));
}

function isInside(path: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => path.startsWith(prefix));
}

function nothingFound(
  root: string,
  inside: readonly RepositoryFile[],
  outside: readonly RepositoryFile[],
): Diagnostic {
  const suggestion = suggestPipelinesDirectory([...inside, ...outside].map((file) => file.path));
  const shown = root === '' ? 'the repository' : root;
  const hint =
    suggestion !== null && suggestion !== root
      ? `set ELT_PIPELINES_DIR=${suggestion === '' ? '.' : suggestion}`
      : `add a folder such as ${join(root, 'dlt/orders')}/pipeline.py`;
  return {
    code: 'NO_PIPELINES',
    severity: 'warning',
    message: `no pipeline was found in ${shown}`,
    file: '',
    line: 0,
    column: 0,
    hint,
  };
}

/**
 * The pipelines directory under which most of a repository's pipeline-like folders would be found; null: it has none.
 * @param paths every path of the repository, or of the part that is known
 */
export function suggestPipelinesDirectory(paths: readonly string[]): string | null {
  const votes = new Map<string, number>();
  for (const path of paths) {
    const slash = path.lastIndexOf('/');
    if (slash === -1 || !STRONG.test(path.slice(slash + 1))) continue;
    const folders = path.slice(0, slash).split('/');
    if (isSkipped(folders)) continue;
    const parent = folders.slice(0, -1);
    const byTool = ['dlt', 'sling', 'dbt', 'python'].includes(parent.at(-1) ?? '');
    const directory = (byTool ? parent.slice(0, 1 - DEEPEST) : parent).join('/');
    votes.set(directory, (votes.get(directory) ?? 0) + 1);
  }
  let best: string | null = null;
  for (const [directory, count] of votes) {
    if (best === null || count > votes.get(best)! || (count === votes.get(best)! && directory < best))
      best = directory;
  }
  return best;
}

/** `./pipelines/` → `pipelines`; `.` → ''. */
export function normaliseDirectory(directory: string): string {
  return directory
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

function pathBelow(root: string, path: string): string | null {
  if (root === '') return path;
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : null;
}

function join(root: string, path: string): string {
  return root === '' ? path : `${root}/${path}`;
}
