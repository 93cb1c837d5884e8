import type { AssetState } from '../../../../src/server/contract/asset.ts';

const STATES: readonly AssetState[] = ['never', 'materialized', 'running', 'queued', 'failed', 'partly'];

export interface LineageFilter {
  /** What the service selects by; '' is everything. */
  readonly selection: string;
  /** Of what it selects only these are drawn; empty: all. */
  readonly states: readonly AssetState[];
  /** Words after `status:` that are none. */
  readonly unknown: readonly string[];
}

/**
 * `group:marts+ status:failed`: the selection language of `elt materialize`, and `status:` for what is to be drawn of it.
 * States change while one looks, so the page keeps them apart from the selection.
 */
export function lineageFilter(text: string): LineageFilter {
  const states: AssetState[] = [];
  const unknown: string[] = [];
  const rest = text.replace(/(?:\band\s+)?\bstatus:([\w,]+)/gi, (_, words: string) => {
    for (const word of words.toLowerCase().split(',')) {
      const state = STATES.find((one) => one === word);
      if (state === undefined) unknown.push(word);
      else states.push(state);
    }
    return ' ';
  });
  const selection = rest
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/^and\s+|\s+and$/gi, '');
  return { selection, states, unknown };
}
