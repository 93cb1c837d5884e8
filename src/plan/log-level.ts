/** What a tool says of its own work; of the run's configuration, where it is the key `log_level`. */
export const LOG_LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Null: as the tool and the folder have it. */
export function logLevelOf(config: Readonly<Record<string, unknown>>): LogLevel | null {
  return LOG_LEVELS.find((level) => level === config['log_level']) ?? null;
}
