import type { Page } from 'playwright-core';

const TYPED = `(async () => {
  const box = document.querySelector('[data-filter]');
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
  const times = [];
  for (const text of ['a', 'as', 'ass', 'asse', 'asset', 'asset_9', 'asset_98', 'asset_987', 'ast98', 'grp 98', '']) {
    const started = performance.now();
    set.call(box, text);
    box.dispatchEvent(new InputEvent('input', { bubbles: true }));
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    times.push(performance.now() - started);
  }
  return times;
})()`;

/** From a keystroke in the filter to the frame with its result, in milliseconds: the median of eleven. */
export async function keystrokes(page: Page): Promise<number> {
  const times = (await page.evaluate<number[]>(TYPED)).sort((a, b) => a - b);
  const middle = times[times.length >> 1] ?? Number.NaN;
  console.log(`keystroke to result: median ${middle.toFixed(0)} ms, worst ${times.at(-1)?.toFixed(0)} ms`);
  return middle;
}

export interface Drawn {
  readonly milliseconds: number;
  /** The same page without its partitions, measured between: what the machine takes for any page just now. */
  readonly plain: number;
  /** Of the API's answers about the partitions, as they went over the wire. */
  readonly bytes: number;
}

const LOADS = 3;

/** A whole load of an asset's partitions, up to the first cell: the best of three, since others use the machine too. */
export async function partitionsDrawn(page: Page, url: string, key: string): Promise<Drawn> {
  let [milliseconds, plain] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let load = 0; load < LOADS; load += 1) {
    plain = Math.min(plain, await loaded(page, `${url}/assets/${key}`, '.columns'));
    milliseconds = Math.min(
      milliseconds,
      await loaded(page, `${url}/assets/${key}?tab=partitions`, '.matrix-cell'),
    );
  }
  const bytes = await page.evaluate<number>(
    `performance.getEntriesByType('resource').filter(({ name }) => name.includes('/partitions')).reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`,
  );
  console.log(
    `partitions of ${key}: ${milliseconds.toFixed(0)} ms, the page without them ${plain.toFixed(0)} ms; ${bytes} bytes`,
  );
  if (bytes === 0) throw new Error('the answers about the partitions were not measured');
  return { milliseconds, plain, bytes };
}

/** The budget of a quiet machine; on a busy one, so much more than the page without them takes there. */
export function within({ milliseconds, plain }: Drawn, budget: number): boolean {
  return milliseconds <= Math.max(budget, 3 * plain);
}

async function loaded(page: Page, address: string, drawn: string): Promise<number> {
  const started = performance.now();
  await page.goto(address);
  await page.locator(drawn).first().waitFor();
  return performance.now() - started;
}
