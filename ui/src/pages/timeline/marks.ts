import type { TimelineMark } from '../../../../src/server/contract/timeline.ts';
import { exact, shortSha } from '../../lib/format.ts';
import { percent, type Span } from './scale.ts';

/** One or several revisions that stand close together, newest last. */
export interface Flag {
  readonly left: number;
  readonly marks: readonly TimelineMark[];
}

/** As wide as one is with the number of others. */
export const FLAG_PX = 84;

/** Flags that do not cover each other, each at the newest of its revisions. */
export function flagsOf(marks: readonly TimelineMark[], span: Span, width: number): Flag[] {
  const apart = (FLAG_PX / Math.max(1, width)) * 100;
  const flags: { left: number; marks: TimelineMark[] }[] = [];
  for (const mark of marks.toReversed()) {
    const left = percent(span, Date.parse(mark.at));
    if (left < 0 || left > 100) continue;
    const later = flags.at(-1);
    if (later !== undefined && later.left - left < apart) later.marks.unshift(mark);
    else flags.push({ left, marks: [mark] });
  }
  return flags;
}

/** Where its revision is shown. */
export function flagHref({ marks }: Flag): string {
  const newest = marks.at(-1);
  return newest === undefined
    ? '/git'
    : `/git?rev=${encodeURIComponent(`${newest.component}:${newest.revision_id}`)}`;
}

export function markText(mark: TimelineMark): string {
  const { added, changed, removed } = mark.summary;
  const what = mark.kind === 'rollback' ? 'Rolled back to ' : mark.kind === 'pin' ? 'Pinned to ' : '';
  return `${what}${shortSha(mark.commit)} ${mark.subject}\n+${added} ~${changed} −${removed} · ${mark.author} · ${exact(Date.parse(mark.at))}`;
}
