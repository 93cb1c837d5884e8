import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Files of `ELT_SECRETS_DIR` that a tool looks for in its working directory. */
const FILES = ['.dlt/secrets.toml'] as const;
const VARIABLE_NAME = /^[A-Z_][A-Z0-9_]*$/;
const TOML_STRING = /=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)')/g;
const LARGEST_VALUE = 64 * 1024;

/** A file named like a variable is that variable, as container platforms mount secrets. */
export function variablesOf(secretsDir: string | null): Readonly<Record<string, string>> {
  if (secretsDir === null) return {};
  const variables: Record<string, string> = {};
  for (const name of list(secretsDir)) {
    if (!VARIABLE_NAME.test(name)) continue;
    const content = read(join(secretsDir, name));
    if (content !== null) variables[name] = content.replace(/\r?\n$/, '');
  }
  return variables;
}

/**
 * Links the secret files that are meant for a pipeline into its working directory: its own
 * (`ELT_SECRETS_DIR/<pipeline>/…`), else the global one. A file of the folder or of a run is left alone.
 * @param names of the pipeline, the first that has the file counts
 * @returns what is written in them, to be masked
 */
export function laySecretFiles(
  secretsDir: string | null,
  names: readonly string[],
  workDir: string,
): readonly string[] {
  if (secretsDir === null) return [];
  const values: string[] = [];
  for (const file of FILES) {
    const source = [...names.map((name) => join(secretsDir, name, file)), join(secretsDir, file)].find(
      (path) => existsSync(path),
    );
    if (source === undefined) continue;
    values.push(...tomlStrings(read(source) ?? ''));
    const target = join(workDir, file);
    const link = linkOf(target);
    if (link === source) continue;
    if (link !== null) rmSync(target);
    if (existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(source, target);
  }
  return values;
}

/** Takes the links away again. */
export function removeSecretFiles(secretsDir: string | null, workDir: string): void {
  if (secretsDir === null) return;
  for (const file of FILES) {
    const target = join(workDir, file);
    if (linkOf(target)?.startsWith(secretsDir) === true) rmSync(target);
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function tomlStrings(text: string): string[] {
  return [...text.matchAll(TOML_STRING)].map((match) => match[1] ?? match[2] ?? '');
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function read(path: string): string | null {
  try {
    const content = readFileSync(path);
    return content.length > LARGEST_VALUE ? null : content.toString('utf8');
  } catch {
    return null;
  }
}
