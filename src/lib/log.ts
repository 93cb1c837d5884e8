import pino from 'pino';

export type Logger = pino.Logger;

/**
 * The service's own log: JSON lines on stderr (stdout belongs to data). A static message plus snake_case fields.
 * @param level a pino level; `silent` for tests
 */
export function createLogger(level: string): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
}
