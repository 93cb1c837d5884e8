import type { Problem } from '../../../src/server/contract/common.ts';

/** A request that failed: what the service said (RFC 9457), or that it did not answer. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | null;

  constructor(status: number, code: string, message: string, hint: string | null) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

export function unreachable(): ApiError {
  return new ApiError(0, 'UNREACHABLE', 'The service does not answer.', 'Is elt-dev still running?');
}

/** Reads a failed response; a body that is no problem document (a proxy's page) gives its status only. */
export async function apiError(response: Response): Promise<ApiError> {
  let problem: Partial<Problem> | null = null;
  try {
    problem = (await response.json()) as Partial<Problem> | null;
  } catch {
    // No JSON: said by its status.
  }
  return new ApiError(
    response.status,
    problem?.code ?? `HTTP_${response.status}`,
    problem?.detail ?? problem?.title ?? `The service answered ${response.status}.`,
    problem?.hint ?? null,
  );
}

export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, 'PAGE', error instanceof Error ? error.message : String(error), null);
}
