import type { LaunchRequest, LaunchResponse } from '../../../src/server/contract/run.ts';
import { idempotencyKey, post, segment } from '../api/client.ts';
import { listText, plural } from '../lib/format.ts';
import { markQueued } from './assets.ts';
import { toast, toastError } from './toasts.ts';

/**
 * Starts runs and shows the assets as queued at once. The key names the click: the service answers a second request
 * with it by the first one's runs. True if it was accepted; a refusal has been shown.
 */
export async function launch(
  requests: readonly LaunchRequest[],
  keys: readonly string[],
  what: string,
  clickKey: string = idempotencyKey(),
): Promise<boolean> {
  const unmark = markQueued(keys);
  try {
    const runIds: string[] = [];
    const skipped = new Set<string>();
    for (const [index, request] of requests.entries()) {
      const body = { ...request, idempotency_key: `${clickKey}-${index}` } satisfies LaunchRequest;
      const answer = await post<LaunchResponse>('/runs', body);
      runIds.push(...answer.run_ids);
      for (const key of answer.skipped_disabled) skipped.add(key);
    }
    const detail = skipped.size === 0 ? null : `Not run, because disabled: ${listText([...skipped])}`;
    toast('run', `Queued: ${what}`, { link: linkTo(runIds), detail });
    return true;
  } catch (error) {
    unmark();
    toastError(`${what} was not started`, error);
    return false;
  }
}

function linkTo(runIds: readonly string[]): { href: string; text: string } {
  const [only] = runIds;
  if (only !== undefined && runIds.length === 1)
    return { href: `/runs/${segment(only)}`, text: 'Show the run' };
  return { href: '/runs', text: `Show ${plural(runIds.length, 'run')}` };
}

/** Asks for a change that answers by events: cancel, retry, refresh, start, stop. Shows a refusal. */
export async function act<T>(path: string, body: unknown, failed: string): Promise<T | null> {
  try {
    return (await post<T | undefined>(path, body)) ?? ({} as T);
  } catch (error) {
    toastError(failed, error);
    return null;
  }
}
