import type { Diagnostic } from '../lib/diagnostics.ts';
import type { FolderSource } from './folder-source.ts';
import { fullPath } from './folder-source.ts';

const LFS_POINTER = 'version https://git-lfs.github.com/spec/';
const LONGEST_NAME = 255;
const SECRET_FILES = new Set(['.dlt/secrets.toml', '.env']);

/**
 * What a folder must not hold (fault G12): submodules, links that lead out of it, names that a machine cannot write or
 * confuses, Git LFS pointers in place of content. A committed file of secrets is a warning.
 */
export function checkTree(folder: FolderSource): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const lower = new Map<string, string>();
  const refuse = (path: string, message: string, hint: string): void => {
    diagnostics.push(problem('PATH_REFUSED', 'error', fullPath(folder, path), message, hint));
  };
  for (const [path, file] of folder.files) {
    const shown = JSON.stringify(path);
    const twin = lower.get(path.toLowerCase());
    if (twin === undefined) lower.set(path.toLowerCase(), path);
    else refuse(path, `${shown} and ${JSON.stringify(twin)} differ only in case`, 'rename one of the two');
    if (/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(path)) {
      refuse(path, `the name ${shown} has a control character`, 'rename the file');
    }
    if (
      path.split('/').some((part) => new TextEncoder().encode(part).length > LONGEST_NAME || part === '..')
    ) {
      refuse(path, `the name ${shown} cannot be written to a disk`, 'rename the file');
    }
    if (file.mode === '160000') {
      refuse(path, `${shown} is a submodule, and submodules are not fetched`, 'commit the files themselves');
    }
    if (file.mode === '120000') checkLink(folder, path, refuse);
    else if (startsWith(folder.contents.get(path), LFS_POINTER)) {
      refuse(
        path,
        `${shown} is a Git LFS pointer: its content is not in the repository`,
        'commit the content',
      );
    }
    if (SECRET_FILES.has(path)) {
      const message = `${shown} is committed: everybody who reads the repository reads its secrets`;
      const hint = 'remove it, change the secrets, and put the new ones into ELT_SECRETS_DIR';
      diagnostics.push(problem('SECRET_IN_REPOSITORY', 'warning', fullPath(folder, path), message, hint));
    }
  }
  return diagnostics;
}

function checkLink(
  folder: FolderSource,
  path: string,
  refuse: (path: string, message: string, hint: string) => void,
): void {
  const target = new TextDecoder().decode(folder.contents.get(path) ?? new Uint8Array());
  const parts = path.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) {
        refuse(
          path,
          `the link ${JSON.stringify(path)} leads out of the folder`,
          'copy the file into the folder',
        );
        return;
      }
    } else if (part !== '' && part !== '.') parts.push(part);
  }
  const resolved = parts.join('/');
  const hint = 'copy the file into the folder';
  if (target.startsWith('/') || target === '') {
    refuse(path, `the link ${JSON.stringify(path)} leads out of the folder`, hint);
  } else if (
    path === resolved ||
    path.startsWith(`${resolved}/`) ||
    folder.files.get(resolved)?.mode === '120000'
  ) {
    refuse(path, `the link ${JSON.stringify(path)} leads to a link or to itself`, hint);
  }
}

function startsWith(bytes: Uint8Array | undefined, text: string): boolean {
  if (bytes === undefined || bytes.length < text.length) return false;
  for (let index = 0; index < text.length; index++) if (bytes[index] !== text.charCodeAt(index)) return false;
  return true;
}

function problem(
  code: string,
  severity: Diagnostic['severity'],
  file: string,
  message: string,
  hint: string,
): Diagnostic {
  return { code, severity, message, file, line: 0, column: 0, hint };
}
