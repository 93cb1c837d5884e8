import type { PartitionSubset } from './partition-subset.ts';

const PAGE_BITS = 12;
const PAGE = 1 << PAGE_BITS;
const NO_PAGE = new Uint8Array(0);

/**
 * A byte of flags for each ordinal, 0 where nothing was set. Kept in pages, because the ordinals of two time dimensions
 * lie far apart (`definition/multi.ts`): what is not there costs nothing.
 */
export class OrdinalFlags {
  readonly #pages = new Map<number, Uint8Array>();
  /** The page that was asked last: questions come in order. */
  #last: Uint8Array = NO_PAGE;
  #lastNumber = -1;

  get(ordinal: number): number {
    const number = Math.floor(ordinal / PAGE);
    if (number !== this.#lastNumber) {
      this.#lastNumber = number;
      this.#last = this.#pages.get(number) ?? NO_PAGE;
    }
    return this.#last[ordinal % PAGE] ?? 0;
  }

  set(ordinal: number, flags: number): void {
    const number = Math.floor(ordinal / PAGE);
    let page = this.#pages.get(number);
    if (page === undefined) {
      if (flags === 0) return;
      page = new Uint8Array(PAGE);
      this.#pages.set(number, page);
      this.#lastNumber = -1;
    }
    page[ordinal % PAGE] = flags;
  }

  /** The ordinals that have at least one of the flags of `mask`. */
  subsetOf(mask: number): PartitionSubset {
    const bounds: number[] = [];
    let inside = false;
    let end = 0;
    for (const [number, page] of this.pages()) {
      const base = number * PAGE;
      // What lies between two pages has no flags.
      if (inside && base !== end) {
        bounds.push(end);
        inside = false;
      }
      for (let at = 0; at < PAGE; at++) {
        const isIn = ((page[at] as number) & mask) !== 0;
        if (isIn === inside) continue;
        bounds.push(base + at);
        inside = isIn;
      }
      end = base + PAGE;
    }
    if (inside) bounds.push(end);
    return { bounds };
  }

  /** What it takes in memory. */
  get bytes(): number {
    return this.#pages.size * PAGE;
  }

  /** Page number (`PAGE_SIZE` ordinals each) and bytes, ascending. The bytes are the flags themselves: not to be written to. */
  pages(): [number, Uint8Array][] {
    return [...this.#pages].sort(([a], [b]) => a - b);
  }

  /** Puts back a page that `pages` gave. */
  restore(number: number, page: Uint8Array): void {
    this.#pages.set(number, page);
    this.#lastNumber = -1;
  }
}

/** Ordinals in a page. */
export const PAGE_SIZE = PAGE;
