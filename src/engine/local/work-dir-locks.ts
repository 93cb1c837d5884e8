/**
 * Steps of one pipeline share its working directory while they run the same content, and never at different contents:
 * one would read the other's files.
 */
export interface WorkDirLocks {
  /**
   * Resolves once no step of other content uses the directory; first come, first served.
   * @param signal ends the wait: it rejects then
   * @returns what gives the directory back, and says whether nobody uses it any more; harmless when called twice
   */
  hold(workDir: string, treeId: string, signal?: AbortSignal): Promise<() => boolean>;
  /** For a step that is running already (adoption): never waits. */
  join(workDir: string, treeId: string): () => boolean;
}

interface Use {
  treeId: string;
  holders: number;
  readonly waiting: { readonly treeId: string; readonly enter: () => void }[];
}

export function createWorkDirLocks(): WorkDirLocks {
  const uses = new Map<string, Use>();

  function enter(workDir: string, treeId: string): () => boolean {
    const use = uses.get(workDir) ?? { treeId, holders: 0, waiting: [] };
    uses.set(workDir, use);
    use.treeId = treeId;
    use.holders += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return false;
      isHeld = false;
      use.holders -= 1;
      if (use.holders > 0) return false;
      admit(workDir, use);
      return use.holders === 0;
    };
  }

  /** The first that waits, and those behind it of the same content. */
  function admit(workDir: string, use: Use): void {
    const first = use.waiting[0];
    if (first === undefined) {
      uses.delete(workDir);
      return;
    }
    while (use.waiting[0]?.treeId === first.treeId) use.waiting.shift()!.enter();
  }

  return {
    hold(workDir, treeId, signal) {
      if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
      const use = uses.get(workDir);
      // Not past those that wait, so that a stream of new steps cannot keep them waiting for ever.
      const isFree = use === undefined || (use.treeId === treeId && use.waiting.length === 0);
      if (isFree) return Promise.resolve(enter(workDir, treeId));
      return new Promise((resolve, reject) => {
        const waiter = { treeId, enter: () => resolve(enter(workDir, treeId)) };
        use.waiting.push(waiter);
        signal?.addEventListener('abort', () => leave(waiter), { once: true });

        function leave(one: typeof waiter): void {
          const at = use!.waiting.indexOf(one);
          if (at === -1) return;
          use!.waiting.splice(at, 1);
          // Those of the content that is in use may have waited for it alone.
          while (use!.holders > 0 && use!.waiting[0]?.treeId === use!.treeId) use!.waiting.shift()!.enter();
          reject(signal!.reason as Error);
        }
      });
    },
    join: enter,
  };
}
