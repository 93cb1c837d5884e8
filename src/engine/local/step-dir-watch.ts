import { type FSWatcher, watch } from 'node:fs';
import type { StepDir } from './step-dir.ts';

/** Least time between two looks: bursts of output are taken together. */
const LEAST_PAUSE_MS = 25;

export interface StepDirWatch {
  /** Resolves when something in the folder changed since the last call, at once if it has; at the latest after `ms`. */
  changed(ms: number): Promise<void>;
  /** Ends the present or next wait, without pause. */
  poke(): void;
  close(): void;
}

/** Watches an attempt's folder; where the file system cannot tell of changes, the longest wait is the polling. */
export function watchStepDir(dir: StepDir): StepDirWatch {
  let isUrgent = false;
  let hasChanged = false;
  let lastLook = 0;
  let waiter: (() => void) | null = null;
  let watcher: FSWatcher | null = null;
  try {
    watcher = watch(dir.path, (_type, name) => {
      hasChanged = true;
      if (name === 'exit.json') isUrgent = true;
      waiter?.();
    });
    watcher.on('error', () => undefined);
    watcher.unref();
  } catch {
    // No watch is left (`fs.inotify.max_user_watches`).
  }
  return {
    async changed(ms) {
      const sooner = Math.max(0, lastLook + LEAST_PAUSE_MS - performance.now());
      if (!isUrgent && sooner > 0) await pause(sooner, () => isUrgent);
      if (!isUrgent && !hasChanged) await pause(ms, () => isUrgent || hasChanged);
      isUrgent = false;
      hasChanged = false;
      lastLook = performance.now();
    },
    poke() {
      isUrgent = true;
      waiter?.();
    },
    close() {
      watcher?.close();
    },
  };

  function pause(ms: number, isOver: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      waiter = () => {
        if (isOver()) done();
      };
      function done(): void {
        clearTimeout(timer);
        waiter = null;
        resolve();
      }
    });
  }
}
