import type { Mirror } from '../git/mirror.ts';
import type { GitRef } from '../git/remote-refs.ts';
import type { RemoteHead } from './component.ts';
import type { ControlState } from './control.ts';

/** What the remote has now, fetched so that it can be compared; throws `OperationalError` as a refresh does. */
export async function lookAtHead(
  mirror: Mirror,
  ref: GitRef,
  served: string | null,
  signal: AbortSignal,
): Promise<RemoteHead> {
  const seen = await mirror.remoteHead(ref, signal);
  const commit = (await mirror.has(seen)) ? seen : await mirror.fetch(ref, signal);
  return { commit, ahead: served === null ? null : await mirror.history.ahead(served, commit) };
}

/**
 * Why a component does not serve the head: who, why, until when, and how far the head is.
 * @param serving what is served; null: nothing yet
 */
export function heldText(control: ControlState, serving: string | null, head: RemoteHead | null): string {
  const { mode, by, reason, expiresAt } = control;
  const short = serving?.slice(0, 12) ?? 'nothing';
  const what = {
    pinned: `pinned to ${short}`,
    rolled_back: `rolled back to ${short}`,
    suspended: `suspended, ${short} is served`,
  }[mode];
  const until = {
    pinned: 'until elt resume',
    rolled_back: 'until a newer commit or elt resume',
    suspended: 'until elt resume',
  }[mode];
  const end = expiresAt === null ? until : `${until}, at the latest at ${iso(expiresAt)}`;
  return `${what} by ${by}${reason === '' ? '' : ` (${reason})`}; ${headText(serving, head)}${end}`;
}

function headText(serving: string | null, head: RemoteHead | null): string {
  if (head === null) return '';
  if (head.commit === serving) return 'the head is the same; ';
  const ahead = head.ahead === null || head.ahead === 0 ? '' : `, ${head.ahead} ahead`;
  return `the head is ${head.commit.slice(0, 12)}${ahead}; `;
}

function iso(at: number): string {
  return new Date(at).toISOString().replace(/\.000Z$/, 'Z');
}
