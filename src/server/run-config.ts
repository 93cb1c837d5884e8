import { LOG_LEVELS, type LogLevel, logLevelOf } from '../plan/log-level.ts';
import { refusal } from './refusal.ts';

/** The configuration of a run, the level of its tools' output included. @throws `REQUEST_INVALID` for an unknown level */
export function runConfig(
  config: Readonly<Record<string, unknown>> | undefined,
  level: LogLevel | undefined,
): Readonly<Record<string, unknown>> {
  const whole = { ...config, ...(level === undefined ? {} : { log_level: level }) };
  if (whole['log_level'] !== undefined && logLevelOf(whole) === null) {
    throw refusal('REQUEST_INVALID', `log_level of the configuration has to be ${LOG_LEVELS.join(', ')}`);
  }
  return whole;
}
