import { didYouMean } from './suggest.ts';

/** What a configuration may ask about the folder that it belongs to. */
export interface FolderFacts {
  readonly name: string;
  readonly dir: string;
  /** Paths inside the folder. */
  readonly files: ReadonlySet<string>;
  nearestFile(path: string): string | undefined;
}

export function folderFacts(dir: string, files: Iterable<string>): FolderFacts {
  const paths = new Set(files);
  return {
    name: dir.slice(dir.lastIndexOf('/') + 1),
    dir,
    files: paths,
    nearestFile: (path) => didYouMean(path, paths),
  };
}
