import type { Mirror } from '../git/mirror.ts';
import type { ObjectReader, TreeEntry } from '../git/objects.ts';
import { type ErrorCode, OperationalError } from '../lib/errors.ts';

const LARGEST_FILE = 1_000_000;
/** Characters of texts that are kept: the files of a screen, whatever is asked about them next. */
const MOST_KEPT = 4_000_000;

const NOT_HERE: ReadonlySet<ErrorCode> = new Set(['GIT_CORRUPT', 'GIT_REPOSITORY_NOT_FOUND']);

interface Batch {
  readonly files: Set<string>;
  readonly texts: Promise<ReadonlyMap<string, string>>;
}

/**
 * Text of a file at a commit; null: there is none, it is too large, or it is no text. What is asked for in one turn is one
 * look at the repository, and what was read is kept for a while: a commit never changes.
 */
export function createFileReader(
  mirror: () => Pick<Mirror, 'objects'>,
): (commit: string, file: string) => Promise<string | null> {
  const batches = new Map<string, Batch>();
  const kept = new Map<string, string>();
  let size = 0;

  function keep(id: string, text: string): void {
    if (kept.has(id)) return;
    kept.set(id, text);
    size += text.length;
    for (const [oldest, { length }] of kept) {
      if (size <= MOST_KEPT) return;
      kept.delete(oldest);
      size -= length;
    }
  }

  function open(commit: string): Batch {
    const files = new Set<string>();
    const texts = Promise.resolve().then(() => {
      batches.delete(commit);
      return readTexts(mirror(), commit, [...files]);
    });
    const batch = { files, texts };
    batches.set(commit, batch);
    return batch;
  }

  return async (commit, file) => {
    const id = `${commit}:${file}`;
    const known = kept.get(id);
    if (known !== undefined) return known;
    const batch = batches.get(commit) ?? open(commit);
    batch.files.add(file);
    const text = (await batch.texts).get(file);
    if (text !== undefined) keep(id, text);
    return text ?? null;
  };
}

async function readTexts(
  mirror: Pick<Mirror, 'objects'>,
  commit: string,
  files: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const objects = mirror.objects();
  try {
    const wanted = new Set(files);
    const found = (await entriesOf(objects, commit, files)).filter(
      ({ path, mode, size }) => wanted.has(path) && mode.startsWith('100') && size <= LARGEST_FILE,
    );
    await Promise.all(
      found.map(async ({ path, oid }) => {
        const content = await objects.blob(oid);
        if (!content.includes(0)) texts.set(path, content.toString('utf8'));
      }),
    );
    return texts;
  } finally {
    objects.close();
  }
}

/** Of a commit that is not here, or not whole: none. What is asked for stands beside what is known without it. */
async function entriesOf(
  objects: ObjectReader,
  commit: string,
  files: readonly string[],
): Promise<readonly TreeEntry[]> {
  try {
    return await objects.list(commit, files);
  } catch (error) {
    if (error instanceof OperationalError && NOT_HERE.has(error.code)) return [];
    throw error;
  }
}
