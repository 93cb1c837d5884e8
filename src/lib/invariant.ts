/** A broken assumption of ours: never a user's mistake (those are `Diagnostic` values). */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Compile-time proof that a union is handled; at run time it names the value that was not. */
export function unreachable(value: never): never {
  throw new InvariantError(`unhandled value ${JSON.stringify(value)}`);
}
