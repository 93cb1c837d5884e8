import path from 'node:path/posix';
import type { TreeEntry } from './objects.ts';

export interface PathProblem {
  /** As in the listing. */
  readonly path: string;
  readonly message: string;
  readonly hint: string;
}

const LONGEST_NAME = 255;
const LARGEST_LINK = 4096;
const CONTROL = /\p{Cc}/u;
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/**
 * What of a listing must not reach a disk or a page: submodules, links out of the tree or in a circle, `..`, names that
 * only differ in case, control characters, text-direction marks, names that are not UTF-8 or too long (fault G12).
 * @param root folder that links have to stay in; '' for the listing itself
 * @param linkTarget content of a link's blob
 */
export function pathProblems(
  entries: readonly TreeEntry[],
  root: string,
  linkTarget: (entry: TreeEntry) => string,
): PathProblem[] {
  const problems: PathProblem[] = [];
  const folded = new Map<string, string>();
  const links = new Map<string, string>();
  for (const entry of entries) {
    const message = nameProblem(entry);
    if (message !== null) {
      problems.push({ path: entry.path, ...message });
      continue;
    }
    const key = entry.path.normalize('NFC').toLowerCase();
    const twin = folded.get(key);
    if (twin === undefined) folded.set(key, entry.path);
    else {
      problems.push({
        path: entry.path,
        message: `"${entry.path}" and "${twin}" differ only in case or accents`,
        hint: 'rename one of them: they are one file on macOS and Windows',
      });
    }
    if (entry.mode === '120000') links.set(entry.path, entry.size > LARGEST_LINK ? '/' : linkTarget(entry));
  }
  const known = new Set(entries.map((entry) => entry.path));
  for (const [link, target] of links) {
    const message = linkProblem(link, target, root, links, known);
    if (message !== null) {
      problems.push({ path: link, message, hint: 'commit the file itself instead of a link' });
    }
  }
  return problems;
}

function nameProblem(entry: TreeEntry): { message: string; hint: string } | null {
  const shown = JSON.stringify(entry.path);
  if (entry.mode === '160000') {
    return {
      message: `${shown} is a submodule, submodules are not fetched`,
      hint: 'commit its files, or name it as a requirement',
    };
  }
  if (entry.mode !== '120000' && entry.type === 'blob' && !/^100(644|755|664)$/.test(entry.mode)) {
    return { message: `${shown} has the unknown mode ${entry.mode}`, hint: 'commit a regular file' };
  }
  for (const name of entry.path.split('/')) {
    if (name === '' || name === '.' || name === '..' || /^\.git$/i.test(name)) {
      return { message: `${shown} holds the part "${name}"`, hint: 'rename it' };
    }
    if (Buffer.byteLength(name) > LONGEST_NAME) {
      return { message: `${shown} has a name of more than 255 bytes`, hint: 'shorten it' };
    }
    if (name.includes('\\')) return { message: `${shown} holds a backslash`, hint: 'rename it' };
    if (CONTROL.test(name)) return { message: `${shown} holds a control character`, hint: 'rename it' };
    if (BIDI.test(name)) return { message: `${shown} holds a mark of text direction`, hint: 'rename it' };
    if (name.includes('\ufffd')) return { message: `${shown} is not UTF-8`, hint: 'rename it' };
  }
  return null;
}

function linkProblem(
  link: string,
  target: string,
  root: string,
  links: ReadonlyMap<string, string>,
  known: ReadonlySet<string>,
): string | null {
  let at = link;
  let to = target;
  for (let hops = 0; hops < 40; hops++) {
    if (to.startsWith('/') || to.includes('\0')) return `the link "${link}" leads out of the folder`;
    const resolved = path.normalize(path.join(path.dirname(at), to)).replace(/\/$/, '');
    const inside =
      root === '' ? !resolved.startsWith('..') : resolved === root || resolved.startsWith(`${root}/`);
    if (!inside) return `the link "${link}" leads out of the folder`;
    const next = links.get(resolved);
    if (next === undefined) {
      if ([...links.keys()].some((other) => resolved.startsWith(`${other}/`))) {
        return `the link "${link}" leads through another link`;
      }
      if (`${path.dirname(link)}/`.startsWith(`${resolved}/`) || resolved === '.') {
        return `the link "${link}" leads to a folder that holds it`;
      }
      return known.has(resolved) ? null : `the link "${link}" leads to nothing`;
    }
    at = resolved;
    to = next;
  }
  return `the link "${link}" leads in a circle`;
}
