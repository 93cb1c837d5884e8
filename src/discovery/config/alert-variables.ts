import { variableRefusal, variablesOf } from '../../definitions/alert-variables.ts';
import type { AlertsConfig } from '../../definitions/alerts.ts';
import type { Diagnostic } from '../../lib/diagnostics.ts';

export interface AlertEnvironment {
  /** Names of variables that the service has. */
  readonly names: ReadonlySet<string>;
  /** `ELT_ALERT_ENV`. */
  readonly alertEnv?: readonly string[];
}

/** Warnings for variables that a channel names and does not get, with the line to add. */
export function missingAlertVariables(
  { channels }: AlertsConfig,
  { names, alertEnv = [] }: AlertEnvironment,
): Diagnostic[] {
  return channels.flatMap((channel) =>
    variablesOf(channel).flatMap((name) => {
      const refusal = variableRefusal(name, { variables: alertEnv, withheld: [] });
      const problem =
        refusal ??
        (names.has(name) ? null : { message: `${name} is not set`, hint: `add the line ${name}=… to .env` });
      if (problem === null) return [];
      const message = `the channel "${channel.name}" cannot send: ${problem.message}`;
      const { file, line, column } = channel.source;
      const place = { file, line, column, path: `alerts.channels.${channel.name}` };
      return [
        { code: 'VARIABLE_MISSING', severity: 'warning' as const, message, hint: problem.hint, ...place },
      ];
    }),
  );
}
