import { describe, expect, it } from 'vitest';
import { followed } from '../../ui/src/lib/list-page.ts';

const page = (text: string, cursor: string | null = null) => ({ items: text.split(''), next_cursor: cursor });
const behind = (before: string, now: string) =>
  followed(page('edc', 'c'), page(before), page(now), (item) => item)?.items.join('') ?? null;

describe('the pages behind a first page that is new', () => {
  it.each([
    ['nothing came', 'hgf', 'hgf', 'edc'],
    ['one came and pushed one out', 'hgf', 'ihg', 'fedc'],
    ['as many as fit came, but one', 'hgf', 'kjh', 'gfedc'],
    ['one does not belong to the list any more', 'hgf', 'hfe', 'edc'],
    ['one came and one in the middle went', 'hgf', 'ihf', 'edc'],
    ['there was nothing', '', 'hgf', 'edc'],
  ])('when %s', (_, before, now, expected) => {
    expect(behind(before, now)).toBe(expected);
  });

  it('are not known when a whole page came at once: no gap is shown as if there were none', () => {
    expect(behind('hgf', 'zyx')).toBeNull();
  });
});
