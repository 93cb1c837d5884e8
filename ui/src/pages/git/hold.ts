import type { Component, Control, RefreshResult } from '../../../../src/server/contract/component.ts';
import { segment } from '../../api/client.ts';
import { shortSha } from '../../lib/format.ts';
import { act } from '../../state/launch.ts';
import { toast } from '../../state/toasts.ts';

export type HoldKind = 'rollback' | 'pin' | 'suspend';

export interface HoldWish {
  readonly reason: string;
  /** `2h`; '': until it is resumed. */
  readonly expiresIn: string;
}

/** True when it was accepted; a refusal has been shown. */
export async function hold(
  component: string,
  kind: HoldKind,
  revision: number | null,
  wish: HoldWish,
): Promise<boolean> {
  const body = {
    ...(revision === null ? {} : { revision }),
    ...(wish.reason === '' ? {} : { reason: wish.reason }),
    ...(wish.expiresIn === '' ? {} : { expires_in: wish.expiresIn }),
  };
  const failed = {
    rollback: 'It was not rolled back',
    pin: 'It was not pinned',
    suspend: 'It was not suspended',
  };
  const answer = await act(`/components/${segment(component)}/${kind}`, body, failed[kind]);
  if (answer !== null)
    toast(
      'ok',
      { rollback: 'Rolled back', pin: 'Pinned', suspend: 'Suspended: nothing new is applied' }[kind],
    );
  return answer !== null;
}

export async function resume(component: string): Promise<void> {
  const result = await act<Partial<RefreshResult>>(
    `/components/${segment(component)}/resume`,
    {},
    'It was not resumed',
  );
  if (result?.status === 'failed')
    toast('bad', 'Resumed, and the refresh failed', { detail: result.error?.message ?? null });
  else if (result !== null) toast('ok', 'Resumed: Git is followed again');
}

const MODES: Readonly<Record<Control['mode'], string>> = {
  pinned: 'Pinned to',
  rolled_back: 'Rolled back to',
  suspended: 'Suspended at',
};

/** `Rolled back to abc1234`. */
export function holdTitle(component: Pick<Component, 'head'>, control: Pick<Control, 'mode'>): string {
  const { head } = component;
  return `${MODES[control.mode]} ${head === null ? 'nothing yet' : shortSha(head.commit)}`;
}

/** How it ends, in words. */
export function holdEnd({ mode, expires_at: end }: Pick<Control, 'mode' | 'expires_at'>): string {
  const what = mode === 'rolled_back' ? 'a newer commit ends it' : 'it stays so until it is resumed';
  return end === null ? what : `${what}, or its time`;
}
