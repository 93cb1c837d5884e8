const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up',
  EDNS: 'the host name could not be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'no answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'no answer in time',
  ESOCKET: 'the connection failed',
  ETLS: 'no encrypted connection could be made',
  EPROTOCOL: 'the server speaks another protocol',
};
const CERTIFICATE = /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_|ERR_SSL_)/;

/**
 * A failure of the network by its code. Never the error's own words: they hold host, port and sometimes the whole
 * address, which may be what a variable hides.
 */
export function networkError(error: unknown): string {
  const code = codeOf(error);
  if (code === null) return 'the request failed';
  if (CERTIFICATE.test(code)) return `the certificate of the host is not accepted (${code})`;
  return WORDS[code] ?? `the request failed (${code})`;
}

/** The innermost: `fetch` wraps what happened. */
function codeOf(error: unknown): string | null {
  let code: string | null = null;
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if ('code' in at && typeof at.code === 'string') ({ code } = at as { code: string });
    if (at instanceof AggregateError) return codeOf(at.errors[0]) ?? code;
  }
  return code;
}
