import type { FolderSource } from './folder-source.ts';
import type { PipelineConfig } from './pipeline-config.ts';

/** Files that a resolution can read: requirements, what they include, locks, projects. */
const REQUIREMENTS = /\.(?:txt|in|lock)$|(?:^|\/)pyproject\.toml$/;

/**
 * What an environment of the folder's own depends on; null: it has none. Only these files, so that an edit of a script
 * asks for nothing again.
 * @param files digests by path
 */
export function environmentInputs(
  source: FolderSource,
  config: PipelineConfig,
  files: Readonly<Record<string, string>>,
): object | null {
  const { requirements } = config.environment;
  const has = (name: string): boolean => source.files.has(name);
  const isOwn =
    requirements !== undefined || has('requirements.lock') || (has('uv.lock') && has('pyproject.toml'));
  if (!isOwn) return null;
  const read = Object.entries(files).filter(([path]) => path === requirements || REQUIREMENTS.test(path));
  return { dir: config.dir, environment: config.environment, files: Object.fromEntries(read) };
}
