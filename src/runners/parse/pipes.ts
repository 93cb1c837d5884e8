import type { Metadata, StepEvent } from '../../events/step-event.ts';

/**
 * One message of Dagster Pipes (protocol "0.1", dagster-pipes 1.13; `{"__dagster_pipes_version", "method", "params"}`)
 * as what it means to us.
 */
export type PipesMessage =
  | { readonly kind: 'event'; readonly event: StepEvent }
  | { readonly kind: 'other'; readonly payload: Readonly<Record<string, unknown>> }
  | { readonly kind: 'opened' }
  | { readonly kind: 'closed'; readonly exception: PipesException | null };

export interface PipesException {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

const LEVELS = ['debug', 'info', 'warning', 'error', 'critical'] as const;

export function isPipesMessage(value: Readonly<Record<string, unknown>>): boolean {
  return typeof value['__dagster_pipes_version'] === 'string' && typeof value['method'] === 'string';
}

/** Never throws: a message that does not have the form of its method is kept as `other`. */
export function parsePipesMessage(message: Readonly<Record<string, unknown>>): PipesMessage {
  const params = isRecord(message['params']) ? message['params'] : {};
  return parseMethod(String(message['method']), params) ?? { kind: 'other', payload: { ...message } };
}

function parseMethod(method: string, params: Record<string, unknown>): PipesMessage | null {
  switch (method) {
    case 'opened':
      return { kind: 'opened' };
    case 'closed':
      return { kind: 'closed', exception: exceptionOf(params['exception']) };
    case 'log':
      return logEvent(params['level'], params['message']);
    case 'log_external_stream':
      return logEvent('info', params['text']);
    case 'report_asset_materialization':
      return materialization(params);
    case 'report_asset_check':
      return check(params);
    case 'report_custom_message':
      return { kind: 'other', payload: { type: 'custom', payload: params['payload'] } };
    default:
      return null;
  }
}

function logEvent(level: unknown, message: unknown): PipesMessage | null {
  if (typeof message !== 'string') return null;
  const wanted = String(level).toLowerCase();
  return {
    kind: 'event',
    event: { type: 'log', level: LEVELS.find((known) => known === wanted) ?? 'info', message },
  };
}

function materialization(params: Record<string, unknown>): PipesMessage | null {
  const { asset_key, data_version } = params;
  if (typeof asset_key !== 'string') return null;
  return {
    kind: 'event',
    event: {
      type: 'materialization',
      asset_key,
      ...(typeof data_version === 'string' ? { data_version } : {}),
      metadata: pipesMetadata(params['metadata']),
    },
  };
}

function check(params: Record<string, unknown>): PipesMessage | null {
  const { asset_key, check_name, passed, severity } = params;
  if (typeof asset_key !== 'string' || typeof check_name !== 'string' || typeof passed !== 'boolean')
    return null;
  return {
    kind: 'event',
    event: {
      type: 'check',
      asset_key,
      check_name,
      passed,
      severity: severity === 'WARN' ? 'WARN' : 'ERROR',
      metadata: pipesMetadata(params['metadata']),
    },
  };
}

/** Plain values; Dagster's row count gets the name that pages and plots know. */
function pipesMetadata(raw: unknown): Metadata {
  const metadata: Metadata = {};
  if (!isRecord(raw)) return metadata;
  for (const [name, entry] of Object.entries(raw)) {
    const value = isRecord(entry) && 'raw_value' in entry ? entry['raw_value'] : entry;
    metadata[name] = value as Metadata[string];
  }
  const rows = metadata['dagster/row_count'];
  if (typeof rows === 'number') metadata['rows'] ??= rows;
  return metadata;
}

function exceptionOf(value: unknown): PipesException | null {
  if (!isRecord(value)) return null;
  const { name, message, stack } = value;
  return {
    name: typeof name === 'string' ? name : 'Exception',
    message: typeof message === 'string' ? message : '',
    stack: Array.isArray(stack) ? stack.join('') : '',
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
