import type { FastifyRequest } from 'fastify';
import type { RetryOptions } from '../engine/run-engine.ts';

export type Actor = RetryOptions['by'];

const CLI_ACTOR = /^cli:([\w.@+-]{1,64})$/;

/**
 * Who asks, by what the client says of itself: all of them hold the same rights, so this is for the audit log and the
 * run's cause, never for a decision.
 */
export function actorOf(request: FastifyRequest): Actor {
  const cli = CLI_ACTOR.exec(headerOf(request, 'x-elt-actor'))?.[1];
  if (cli !== undefined) return { kind: 'cli', user: cli };
  if (headerOf(request, 'x-elt-client') === 'page') return { kind: 'page', user: 'page' };
  return { kind: 'api', token: request.headers.authorization === undefined ? 'none' : 'ELT_API_TOKEN' };
}

/** As the audit log and `by` fields have it: `cli:ada`, `page`, `api`. */
export function actorText(actor: Actor): string {
  if (actor.kind === 'cli') return `cli:${actor.user}`;
  return actor.kind;
}

function headerOf(request: FastifyRequest, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}
