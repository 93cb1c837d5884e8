import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRedactor, secretForms } from '../../lib/secret.ts';

/** Texts of failed jobs; what they say stays, masked. */
const TEXT = /\.(?:exception|log)$/;
/** dlt's trace holds the values of its settings, dbt's parsed project those of variables. Both are made again. */
const BINARY = /^trace\.pickle$|\.msgpack$/;
/** Folders of packages that are through; older ones have been looked at. */
const PACKAGES = 'loaded';
const LARGEST = 64 * 1024 * 1024;

/**
 * What tools write of secrets into the state that they keep beyond the attempt. Only files that are known to hold such
 * things and changed since `since` (epoch milliseconds) are read; rows in packages are the user's and stay as they are.
 * A file that cannot be read or written is left.
 */
export function scrubState(stateDir: string, since: number, secrets: readonly string[]): void {
  const forms = secretForms(secrets).map((form) => Buffer.from(form));
  if (forms.length === 0) return;
  const redact = createRedactor(secrets);
  // File systems keep times more coarsely than clocks do.
  scrub(stateDir, since - 2_000);

  function scrub(dir: string, from: number): void {
    for (const entry of list(dir)) {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) {
        if (!dir.endsWith(`/${PACKAGES}`) || changedAt(path) >= from) scrub(path, from);
      } else if (entry.isFile() && (TEXT.test(entry.name) || BINARY.test(entry.name))) {
        if (changedAt(path) >= from) scrubFile(path, TEXT.test(entry.name));
      }
    }
  }

  function scrubFile(path: string, isText: boolean): void {
    try {
      if (statSync(path).size > LARGEST) return;
      const content = readFileSync(path);
      if (!forms.some((form) => content.includes(form))) return;
      if (!isText) {
        rmSync(path);
        return;
      }
      writeFileSync(`${path}.masked`, redact(content.toString('utf8')), { mode: 0o600 });
      renameSync(`${path}.masked`, path);
    } catch {
      // Gone by itself, or not ours to write.
    }
  }
}

function list(dir: string): ReturnType<typeof readEntries> {
  try {
    return readEntries(dir);
  } catch {
    return [];
  }
}

function readEntries(dir: string) {
  return readdirSync(dir, { withFileTypes: true });
}

function changedAt(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}
