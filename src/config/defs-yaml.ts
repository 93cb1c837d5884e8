import { distance } from 'fastest-levenshtein';
import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Scalar, type YAMLMap } from 'yaml';
import type { Diagnostic } from '../lib/diagnostics.ts';

/** One attribute as written, with its place. */
export interface Attribute {
  readonly text: string;
  readonly line: number;
  readonly column: number;
  /** Place of an offset inside `text`, when the text stands in the file as it is. */
  placeOf(offset: number): { readonly line: number; readonly column: number };
}

export interface Defs {
  readonly file: string;
  /** By dotted name: `repo_url`, `ssh.key_file`. Absent: not written, or null. */
  readonly attributes: ReadonlyMap<string, Attribute>;
}

export type DefsResult =
  | { readonly ok: Defs; readonly warnings: readonly Diagnostic[] }
  | { readonly diagnostics: readonly Diagnostic[] };

const TYPES = ['elt.EltGithubComponent', 'dagster_elt_project.components.EltGithubComponent'];
const TOP_KEYS = ['type', 'attributes', 'requirements', 'post_processing', 'template_vars_module'];
const SCALARS = [
  'repo_url',
  'repo_branch',
  'repo_tag',
  'repo_commit',
  'repo_semver',
  'github_token',
  'pipelines_directory',
  'auto_refresh',
  'refresh_interval',
  'ca_file',
] as const;
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  ssh: ['key_file', 'known_hosts_file'],
  github: ['statuses', 'pr_comments', 'api_url'],
  github_app: ['app_id', 'installation_id', 'private_key_file'],
};
/** Lists of values; kept as lines. */
const LISTS: readonly string[] = ['sparse_paths'];
/** Attributes of the format that this release does not act on: refused rather than silently without effect. */
const LATER: Readonly<Record<string, string>> = {
  submodules: 'leave it out: submodules are not fetched',
};
const LARGEST_FILE = 200_000;

/** Reads one `defs.yaml`; all its errors at once, each with line and column. */
export function readDefs(file: string, source: string): DefsResult {
  const reading = new DefsReading(file, source);
  return reading.read();
}

class DefsReading {
  readonly #file: string;
  readonly #source: string;
  readonly #lines = new LineCounter();
  readonly #found: Diagnostic[] = [];
  readonly #attributes = new Map<string, Attribute>();

  constructor(file: string, source: string) {
    this.#file = file;
    this.#source = source.replace(/^\ufeff/, '');
  }

  read(): DefsResult {
    if (this.#source.length > LARGEST_FILE) {
      this.#report('error', 'YAML_TOO_LARGE', 0, 'the file has more than 200 kB');
      return { diagnostics: this.#found };
    }
    const documents = parseAllDocuments(this.#source, { lineCounter: this.#lines, uniqueKeys: true });
    for (const document of documents) {
      for (const error of document.errors) {
        const code = error.code === 'DUPLICATE_KEY' ? 'YAML_DUPLICATE_KEY' : 'YAML_SYNTAX';
        this.#report(
          'error',
          code,
          error.pos[0],
          error.message.split('\n')[0]!.replace(/ at line \d+.*$/, ''),
        );
      }
    }
    if (documents.length > 1) {
      const second = documents[1]?.range[0] ?? 0;
      this.#report(
        'error',
        'CONFIG_VALUE',
        second,
        'the file holds more than one document',
        'make a folder defs/<name>/ for each component',
      );
    }
    if (this.#found.length > 0) return { diagnostics: this.#found };
    const root = documents[0]?.contents;
    if (isMap(root)) this.#top(root);
    else this.#report('error', 'CONFIG_TYPE', 0, 'a mapping with type and attributes is expected');
    if (this.#found.some((diagnostic) => diagnostic.severity === 'error'))
      return { diagnostics: this.#found };
    return { ok: { file: this.#file, attributes: this.#attributes }, warnings: this.#found };
  }

  #top(root: YAMLMap): void {
    const type = root.get('type', true);
    if (type === undefined) {
      this.#report(
        'error',
        'CONFIG_MISSING_KEY',
        0,
        'the key type is missing',
        `write "type: ${TYPES[0]}"`,
        'type',
      );
    }
    for (const { key, value, at } of this.#entries(root)) {
      if (key === 'type') this.#type(value, at);
      else if (key === 'attributes') {
        if (isMap(value)) this.#attributesOf(value);
        else if (!isNull(value))
          this.#report('error', 'CONFIG_TYPE', at, 'attributes has to be a mapping', undefined, key);
      } else if (TOP_KEYS.includes(key)) {
        this.#report('warning', 'CONFIG_UNKNOWN_KEY', at, `"${key}" has no effect here`, undefined, key);
      } else this.#unknown(key, at, TOP_KEYS, key);
    }
  }

  #type(value: unknown, at: number): void {
    if (isScalar(value) && typeof value.value === 'string' && TYPES.includes(value.value)) return;
    const written = isScalar(value) ? String(value.value) : 'this';
    this.#report(
      'error',
      'CONFIG_VALUE',
      offsetOf(value, at),
      `"${written}" is not a component type`,
      `write "${TYPES[0]}"`,
      'type',
    );
  }

  #attributesOf(map: YAMLMap): void {
    const names = [...SCALARS, ...LISTS, ...Object.keys(GROUPS), ...Object.keys(LATER)];
    for (const { key, value, at } of this.#entries(map)) {
      const path = `attributes.${key}`;
      const later = LATER[key];
      if (isNull(value)) continue;
      if (later !== undefined) {
        if (isScalar(value) && value.value === false) continue;
        this.#report('error', 'CONFIG_VALUE', at, `"${key}" is not supported in this release`, later, path);
      } else if (LISTS.includes(key)) this.#list(key, value, at, path);
      else if (GROUPS[key] !== undefined) this.#group(key, value, at);
      else if ((SCALARS as readonly string[]).includes(key)) this.#scalar(key, value, at, path);
      else this.#unknown(key, at, names, path);
    }
  }

  #group(name: string, value: unknown, at: number): void {
    const known = GROUPS[name] ?? [];
    if (!isMap(value)) {
      this.#report(
        'error',
        'CONFIG_TYPE',
        at,
        `${name} has to be a mapping of ${known.join(', ')}`,
        undefined,
        `attributes.${name}`,
      );
      return;
    }
    for (const entry of this.#entries(value)) {
      const path = `attributes.${name}.${entry.key}`;
      if (known.includes(entry.key)) this.#scalar(`${name}.${entry.key}`, entry.value, entry.at, path);
      else this.#unknown(entry.key, entry.at, known, path);
    }
  }

  #scalar(name: string, value: unknown, at: number, path: string): void {
    if (isNull(value)) return;
    if (!isScalar(value)) {
      this.#report(
        'error',
        'CONFIG_TYPE',
        offsetOf(value, at),
        `${path.replace('attributes.', '')} has to be a single value`,
        undefined,
        path,
      );
      return;
    }
    this.#attributes.set(name, this.#attribute(value, at));
  }

  #list(name: string, value: unknown, at: number, path: string): void {
    const items = isSeq(value) ? value.items : [value];
    if (!items.every((item) => isScalar(item) && typeof item.value === 'string')) {
      this.#report(
        'error',
        'CONFIG_TYPE',
        offsetOf(value, at),
        `${name} has to be a list of texts`,
        undefined,
        path,
      );
      return;
    }
    const place = this.#place(offsetOf(value, at));
    const text = items.map((item) => String((item as Scalar).value)).join('\n');
    this.#attributes.set(name, { text, ...place, placeOf: () => place });
  }

  #attribute(value: Scalar, at: number): Attribute {
    const start = offsetOf(value, at);
    const text = typeof value.value === 'string' ? value.value : (value.source ?? String(value.value));
    const inFile = this.#source.indexOf(text, start);
    const base = inFile !== -1 && inFile <= start + 1 ? inFile : start;
    const exact = base === inFile;
    return { text, ...this.#place(start), placeOf: (offset) => this.#place(exact ? base + offset : start) };
  }

  *#entries(map: YAMLMap): Generator<{ key: string; value: unknown; at: number }> {
    for (const pair of map.items) {
      const at = offsetOf(pair.key, 0);
      if (isScalar(pair.key)) yield { key: String(pair.key.value), value: pair.value, at };
      else this.#report('error', 'CONFIG_TYPE', at, 'a key has to be a word');
    }
  }

  #unknown(key: string, at: number, known: readonly string[], path: string): void {
    if (key.startsWith('x-')) return;
    const near = known.find((name) => distance(key.toLowerCase().replaceAll('-', '_'), name) <= 2);
    const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean "${near}"?`;
    this.#report(
      near === undefined ? 'warning' : 'error',
      'CONFIG_UNKNOWN_KEY',
      at,
      `the key "${key}" is not known`,
      hint,
      path,
    );
  }

  #place(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #report(
    severity: 'error' | 'warning',
    code: string,
    offset: number,
    message: string,
    hint?: string,
    path?: string,
  ): void {
    this.#found.push({
      code,
      severity,
      message,
      file: this.#file,
      ...this.#place(offset),
      ...(hint === undefined ? {} : { hint }),
      ...(path === undefined ? {} : { path }),
    });
  }
}

function isNull(value: unknown): boolean {
  return value === null || value === undefined || (isScalar(value) && value.value === null);
}

function offsetOf(node: unknown, otherwise: number): number {
  const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : otherwise;
}
