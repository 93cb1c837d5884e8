/**
 * The one place that chooses between the runtime's own Temporal and the polyfill. Import Temporal from here.
 *
 * Node 24 has no Temporal unless it is started with a flag, so the polyfill's namespace serves until then.
 */
import { Temporal as Polyfill } from 'temporal-polyfill';

const native = (globalThis as { Temporal?: typeof Polyfill }).Temporal;

/** The Temporal namespace. */
export const Temporal: typeof Polyfill = native ?? Polyfill;
