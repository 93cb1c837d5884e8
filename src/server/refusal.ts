import { type ErrorCode, OperationalError } from '../lib/errors.ts';

/** An error whose hint may not be there. */
export function refusal(code: ErrorCode, message: string, hint?: string): OperationalError {
  return new OperationalError(code, message, hint === undefined ? {} : { hint });
}
