import type { DoctorReport } from '../contract/doctor.ts';

/** `$${` is a plain `${`. */
const REFERENCE = /\$\$\{|\$\{([A-Za-z_]\w*)(?::-[^}]*)?\}/g;

/** Names of the variables that folders refer to in `env:`, in order, and whether the service has them: never a value. */
export function variableNames(
  pipelines: Iterable<{
    readonly name: string;
    readonly config: { readonly env: Readonly<Record<string, string>> };
  }>,
  environment: Readonly<Record<string, string>>,
): DoctorReport['variables'] {
  const users = new Map<string, Set<string>>();
  for (const { name, config } of pipelines) {
    for (const template of Object.values(config.env)) {
      for (const [, variable] of template.matchAll(REFERENCE)) {
        if (variable !== undefined) users.set(variable, (users.get(variable) ?? new Set()).add(name));
      }
    }
  }
  return [...users]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, of]) => ({ name, present: (environment[name] ?? '') !== '', pipelines: [...of].sort() }));
}
