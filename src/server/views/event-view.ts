import type { EventRecord, LoggedEvent } from '../../events/run-event.ts';
import type { RunEvent } from '../contract/run.ts';
import { timestamp } from './view-context.ts';

/** Epoch milliseconds in events; the API has instants as text. */
const INSTANTS: ReadonlySet<string> = new Set(['at', 'retry_at']);

/**
 * An event's own fields with the API's names. Only names of ours are rewritten: metadata and other nested values are
 * the users' and stay as they are.
 */
export function payloadOf(event: LoggedEvent): Record<string, unknown> {
  if (event.type === 'other') return { ...event.payload };
  const payload: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(event) as [string, unknown][]) {
    if (key === 'type' || value === undefined) continue;
    const name = snake(key);
    payload[name] = name === 'error' && isObject(value) ? snakeKeys(value) : instantText(name, value);
  }
  return payload;
}

/** `other` stands for what a runner of a newer kind reported; its own name is in the payload. */
export function typeOf(event: LoggedEvent): string {
  if (event.type !== 'other') return event.type;
  const own = event.payload['type'];
  return typeof own === 'string' ? own : 'other';
}

export function eventView(record: EventRecord): RunEvent {
  return {
    event_id: record.eventId,
    at: timestamp(record.at),
    run_id: record.runId,
    step_key: record.stepKey,
    attempt: record.attempt,
    type: typeOf(record.event),
    payload: payloadOf(record.event),
  };
}

function instantText(name: string, value: unknown): unknown {
  return INSTANTS.has(name) && typeof value === 'number' ? timestamp(value) : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function snakeKeys(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [snake(key), child]));
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
