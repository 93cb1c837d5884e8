import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { ERRORS, type ErrorCode, OperationalError } from '../lib/errors.ts';
import type { Problem } from './contract/common.ts';

/** Where `docs/errors.md` is served; each code is a heading of it. */
export const ERROR_DOCS_PATH = '/docs/errors.md';

/** The problem document (RFC 9457) of a code of the catalogue. */
export function problemOf(
  code: ErrorCode,
  detail: string,
  options: { hint?: string | undefined; status?: number } = {},
): Problem {
  const { status, title } = ERRORS[code];
  return {
    type: `${ERROR_DOCS_PATH}#${code.toLowerCase()}`,
    title,
    status: options.status ?? status,
    detail,
    code,
    hint: options.hint ?? null,
    diagnostics: [],
  };
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .type('application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(problem);
}

/** Any error of a route → its problem. What is no operational error is a defect: logged whole, shown without details. */
export function handleError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOfError(error, request);
  if (problem.code === 'INTERNAL') {
    request.log.error({ err: error, method: request.method, url: request.url }, 'request failed');
  }
  return sendProblem(reply, problem);
}

export function handleNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(
    reply,
    problemOf('NOT_FOUND', `${request.method} ${pathOf(request.url)} does not exist`),
  );
}

function problemOfError(error: FastifyError, request: FastifyRequest): Problem {
  if (error instanceof OperationalError) return problemOf(error.code, error.message, { hint: error.hint });
  if (hasZodFastifySchemaValidationErrors(error)) {
    const first = error.validation
      .map(({ instancePath, message }) => `${instancePath.slice(1) || 'body'}: ${message ?? 'not valid'}`)
      .join('; ');
    return problemOf('REQUEST_INVALID', `${error.validationContext ?? 'request'}: ${first}`);
  }
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return problemOf('REQUEST_INVALID', error.message, { status });
  return problemOf(
    'INTERNAL',
    `the request failed in a way that was not foreseen; it is ${request.id} in the log`,
    {
      hint: 'report it with the lines of the log',
    },
  );
}

export function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}
