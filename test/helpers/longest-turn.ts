/**
 * How long `work` took, and the longest that it kept everybody else waiting. The latter in time of this thread, which what
 * else the machine does makes no longer; milliseconds.
 */
export async function longestTurn<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly taken: number; readonly longest: number }> {
  let isDone = false;
  let longest = 0;
  const started = performance.now();
  let last = threadMs();
  const take = (): void => {
    const now = threadMs();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const turn = (): void => {
    take();
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  const result = await work();
  take();
  isDone = true;
  return { result, taken: performance.now() - started, longest };
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
