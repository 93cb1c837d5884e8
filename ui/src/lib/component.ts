import type { Component } from '../../../src/server/contract/component.ts';
import type { Shown } from './status.ts';

/** Is what is live what the repository says? In one word, with the sentence behind it. */
export function syncOf(component: Component): { shown: Shown; message: string } {
  const bad = (type: string) =>
    component.conditions.find((one) => one.type === type && one.status === 'True');
  const fetchFailed = bad('FetchFailed');
  const stalled = bad('Stalled');
  const degraded = bad('Degraded');
  const held = component.pipelines.filter(({ status }) => status === 'held').length;
  if (component.refreshing || bad('Reconciling') !== undefined) {
    return {
      shown: { tone: 'run', text: 'Syncing' },
      message: bad('Reconciling')?.message ?? 'A refresh is running',
    };
  }
  if (fetchFailed !== undefined)
    return { shown: { tone: 'bad', text: 'Offline' }, message: fetchFailed.message };
  if (stalled !== undefined) return { shown: { tone: 'bad', text: 'Stalled' }, message: stalled.message };
  if (component.control !== null) {
    const ready = component.conditions.find(({ type }) => type === 'Ready');
    const text = { pinned: 'Pinned', rolled_back: 'Rolled back', suspended: 'Suspended' }[
      component.control.mode
    ];
    return { shown: { tone: 'warn', text }, message: ready?.message ?? text };
  }
  if (held > 0)
    return { shown: { tone: 'warn', text: `Held ${held}` }, message: `${held} kept at an earlier revision` };
  if (degraded !== undefined) return { shown: { tone: 'warn', text: 'Degraded' }, message: degraded.message };
  if (component.last_applied === null)
    return { shown: { tone: 'wait', text: 'Not synced yet' }, message: 'No revision' };
  if (component.head?.uncommitted === true)
    return {
      shown: { tone: 'warn', text: 'Uncommitted' },
      message: 'Live is the working copy with changes that are not committed',
    };
  return { shown: { tone: 'ok', text: 'Synced' }, message: 'What is live is what the repository says' };
}
