import type { Component } from '../../../src/server/contract/component.ts';
import { syncOf } from '../lib/component.ts';
import { clock } from '../lib/format.ts';
import type { Shown } from '../lib/status.ts';
import { connection } from '../live/connection.ts';

/** Whether a component is in sync, as far as this page can know: without news for a while it claims nothing. */
export function shownSync(component: Component): { readonly shown: Shown; readonly message: string } {
  const { name, since } = connection.value;
  if (name !== 'stale') return syncOf(component);
  return {
    shown: { tone: 'wait', text: 'Unknown' },
    message: `Not known since ${clock(since)}: the service does not answer`,
  };
}
