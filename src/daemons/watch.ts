import { existsSync } from 'node:fs';
import path from 'node:path';
import type { FSWatcher } from 'chokidar';
import type { EltComponentService } from '../component/component-service.ts';
import type { Logger } from '../lib/log.ts';
import type { Daemon } from './daemon.ts';

export interface WatchDaemonDeps {
  readonly service: Pick<EltComponentService, 'repositories' | 'requestRefresh'>;
  readonly log: Logger;
}

/** An editor writes a file in several steps; a checkout writes many. */
const SETTLE_MS = 80;
/** Folders that tools fill while they work and that are no pipeline's source. */
const PASSED_OVER =
  /(^|\/)(\.git|node_modules|__pycache__|\.venv|venv|target|\.mypy_cache|\.ruff_cache|dbt_packages)(\/|$)/;

/**
 * Watches local repositories: a commit, and in a served working copy every saved file, asks for a refresh at once. Where
 * the system has no watches left, the poll goes on alone.
 */
export function createWatchDaemon({ service, log }: WatchDaemonDeps): Daemon {
  const watchers: FSWatcher[] = [];
  const timers = new Map<string, NodeJS.Timeout>();
  let stopped = false;

  function changed(name: string): void {
    clearTimeout(timers.get(name));
    timers.set(
      name,
      setTimeout(() => {
        timers.delete(name);
        if (!stopped) void service.requestRefresh(name, { kind: 'watch' }).catch(() => undefined);
      }, SETTLE_MS),
    );
  }

  async function watch(): Promise<void> {
    const { watch: open } = await import('chokidar');
    for (const { name, remote, settings, workDir } of service.repositories()) {
      if (stopped || remote?.kind !== 'local') continue;
      const gitDir = gitDirOf(remote.path);
      const files =
        gitDir === null ? [] : ['HEAD', 'packed-refs', 'refs'].map((file) => path.join(gitDir, file));
      const pipelines = workDir === null ? null : path.join(workDir, settings.pipelinesDirectory);
      if (workDir !== null && pipelines !== null) files.push(pipelines, path.join(workDir, 'dagster.yaml'));
      const watcher = open(files, {
        ignoreInitial: true,
        followSymlinks: false,
        ignored: (file) => pipelines !== null && isPassedOver(path.relative(pipelines, file)),
      });
      watcher.on('all', () => changed(name));
      watcher.on('error', (error) => {
        log.warn({ component: name, reason: String(error) }, 'not every file is watched; the poll goes on');
      });
      watchers.push(watcher);
      await new Promise<void>((resolve) => void watcher.once('ready', resolve));
      // What changed before the watch stood.
      changed(name);
    }
  }

  let starting: Promise<void> | null = null;
  return {
    name: 'watch',
    start() {
      starting ??= watch().catch((error: unknown) => {
        log.warn({ err: error }, 'local repositories are not watched; the poll goes on');
      });
    },
    wake() {
      for (const { name, remote } of service.repositories()) if (remote?.kind === 'local') changed(name);
    },
    async stop() {
      stopped = true;
      await starting;
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(watchers.map((watcher) => watcher.close()));
    },
  };
}

/** Where a local repository keeps its refs; null where `.git` is a file (a linked worktree): the poll sees its commits. */
function gitDirOf(repository: string): string | null {
  const inside = path.join(repository, '.git');
  if (existsSync(path.join(inside, 'HEAD'))) return inside;
  return existsSync(path.join(repository, 'HEAD')) ? repository : null;
}

function isPassedOver(file: string): boolean {
  return !file.startsWith('..') && PASSED_OVER.test(file);
}
