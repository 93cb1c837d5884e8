import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { StepSpec } from '../../plan/step-spec.ts';

/** Names of variables that a folder's own files ask for, as far as the tool's files say so (`interfaces.md` §3). */
export interface PassedNames {
  /** Passed on if the service has them. */
  readonly names: ReadonlySet<string>;
  /** Of these, whole connections: their value holds a password whatever their name. */
  readonly connections: ReadonlySet<string>;
}

const NONE: PassedNames = { names: new Set(), connections: new Set() };
const REFERENCE = /\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?/g;
const ENV_VAR = /\benv_var\(\s*['"]([^'"]+)['"]/g;
const DBT_FILES = /\.(?:sql|ya?ml|py|md|csv)$/;
const LARGEST_FILE = 1024 * 1024;

/** Reads a tree once; equal trees have equal answers, so the last ones are kept. */
export function createPassedNames(): (spec: StepSpec, tree: string) => PassedNames {
  const known = new Map<string, PassedNames>();
  return (spec, tree) => withConnections(folderNames(spec, tree), spec);

  function folderNames(spec: StepSpec, tree: string): PassedNames {
    if (spec.tool !== 'sling' && spec.tool !== 'dbt') return NONE;
    const key = `${spec.tool}:${spec.code.treeId}`;
    const found = known.get(key) ?? (spec.tool === 'sling' ? slingNames(spec, tree) : dbtNames(tree));
    if (known.size > 1000) known.clear();
    known.set(key, found);
    return found;
  }
}

/** Connections that the step's checks name. */
function withConnections(passed: PassedNames, spec: StepSpec): PassedNames {
  const assets = [...spec.assets, ...(spec.written ?? [])];
  const named = assets.flatMap(({ declaredChecks = [] }) =>
    declaredChecks.flatMap(({ settings }) => {
      const name = settings['connection'];
      return typeof name === 'string' ? [name, name.toUpperCase()] : [];
    }),
  );
  if (named.length === 0) return passed;
  return {
    names: new Set([...passed.names, ...named]),
    connections: new Set([...passed.connections, ...named]),
  };
}

/** Sling takes a connection from the variable of its name; other variables only through the `env` block. */
function slingNames(spec: StepSpec, tree: string): PassedNames {
  const text = read(join(tree, spec.config.sling?.replication ?? 'replication.yaml'));
  const connections = new Set<string>();
  const names = new Set<string>();
  let file: unknown;
  try {
    file = parse(text);
  } catch {
    return NONE;
  }
  if (file === null || typeof file !== 'object') return NONE;
  for (const key of ['source', 'target'] as const) {
    const name = (file as Record<string, unknown>)[key];
    if (typeof name !== 'string') continue;
    for (const spelling of [name, name.toUpperCase()]) {
      connections.add(spelling);
      names.add(spelling);
    }
  }
  for (const match of text.matchAll(REFERENCE)) names.add(match[1]!);
  return { names, connections };
}

function dbtNames(tree: string): PassedNames {
  const names = new Set<string>();
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !DBT_FILES.test(entry.name)) continue;
    for (const match of read(join(entry.parentPath, entry.name)).matchAll(ENV_VAR)) names.add(match[1]!);
  }
  return { names, connections: new Set() };
}

function read(path: string): string {
  try {
    const content = readFileSync(path);
    return content.length > LARGEST_FILE ? '' : content.toString('utf8');
  } catch {
    return '';
  }
}
