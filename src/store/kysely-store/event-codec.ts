import type { LoggedEvent } from '../../events/run-event.ts';
import { fromJson } from './json.ts';

/** Events of a step's own stream are snake_case in code too; their payload goes in and out as it is. */
const STEP_STREAM: ReadonlySet<string> = new Set([
  'materialization',
  'check',
  'progress',
  'stage_start',
  'stage_end',
  'log',
  'other',
]);

/** The payload of the log's row: snake_case at the top and in `error`; what users put into it is left alone. */
export function encodeEvent(event: LoggedEvent): string {
  if (STEP_STREAM.has(event.type)) return JSON.stringify(event);
  return JSON.stringify(renamed(event, snakeCase));
}

export function decodeEvent(payload: string): LoggedEvent {
  const stored = fromJson<LoggedEvent>(payload);
  if (STEP_STREAM.has(stored.type)) return stored;
  return renamed(stored, camelCase) as unknown as LoggedEvent;
}

function renamed(record: object, rename: (name: string) => string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]: [string, unknown]) => [
      rename(name),
      name === 'error' && typeof value === 'object' && value !== null ? renamed(value, rename) : value,
    ]),
  );
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
