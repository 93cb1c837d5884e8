import type { Instance } from '../../../src/server/contract/instance.ts';
import { get, readJson } from '../api/client.ts';
import { type ApiError, toApiError, unreachable } from '../api/problem.ts';

declare global {
  interface Window {
    /** Begun by boot.js before the modules were there. */
    eltFirstContact?: Promise<Response>;
  }
}

export type FirstContact = { readonly instance: Instance } | { readonly error: ApiError };

/**
 * The first answer of the service. Everything else is asked for after it, so that the stream, which starts at this
 * answer's `last_event_id`, misses nothing that a page shows.
 */
export const firstContact: Promise<FirstContact> = contact();

async function contact(): Promise<FirstContact> {
  try {
    const begun = window.eltFirstContact;
    if (begun === undefined) return { instance: await get<Instance>('/instance') };
    const response = await begun.catch(() => {
      throw unreachable();
    });
    return { instance: await readJson<Instance>(response) };
  } catch (error) {
    return { error: toApiError(error) };
  }
}
