import type { Diagnostic } from '../lib/diagnostics.ts';
import type { MapReader } from './config/map-reader.ts';
import { type PipelineConfig, pipelineName } from './pipeline-config.ts';
import type { VariableRead } from './python/environment-reads.ts';

/** What every step has (interfaces.md §3, What a step gets). */
const BASE =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|PWD|(?:https?|no|all)_proxy|SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS|VIRTUAL_ENV|PYTHON\w*|ELT_(?:RUN_ID|STEP_KEY|STEP_ID|PIPELINE|COMMIT|ATTEMPT|RETRY_NUMBER|EVENTS_FILE|ASSET_KEYS?|PARTITION_\w+)|DAGSTER_PIPES_\w+|DLT_\w+|DBT_\w+|SLING_\w+)$/i;
/** Handed on from the service's environment without being asked. */
const HANDED =
  /^(?:SOURCES__\w+|DESTINATION__\w+|RUNTIME__\w+|\w+_INITIAL_VALUE|\w+_END_VALUE|DUCKDB_DATABASE)$/;
/** As the engine has it (`child-environment.ts`): the first two can be given on by the operator, the others by nobody. */
const TOKENS = /^(?:GITHUB_TOKEN|GH_TOKEN)$/;
const NEVER = /^(?:ELT_\w*(?:TOKEN|SECRET|KEY)|ELT_ALERT_\w+|DATABASE_URL|(?:ELT_)?GITHUB_APP_\w+)$/;

export interface ServiceVariables {
  readonly names: ReadonlySet<string>;
  readonly passEnv: readonly string[];
}

/**
 * Warnings for variables that a folder reads and does not get, with the line to add (fault C4). Names only: values are
 * none of discovery's business.
 * @param reads by the folder's code
 * @param references by its `env:`
 */
export function missingVariables(
  config: PipelineConfig,
  reads: readonly VariableRead[],
  references: readonly VariableRead[],
  service: ServiceVariables,
): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const reported = new Set<string>();
  const report = (name: string, message: string, hint: string, source: VariableRead['source']): void => {
    if (reported.has(name)) return;
    reported.add(name);
    const { file, line, column } = source;
    diagnostics.push({
      code: 'VARIABLE_MISSING',
      severity: 'warning',
      message,
      file,
      line,
      column,
      hint,
      pipeline: pipelineName(config),
    });
  };
  const missing = (name: string, source: VariableRead['source'], handedOn: boolean): void => {
    const entry = `${name}: "\${${name}}" to env: in dagster.yaml`;
    if (NEVER.test(name)) {
      report(name, `${name} is never handed to a step`, 'use a variable of another name', source);
    } else if (TOKENS.test(name) && !service.passEnv.includes(name)) {
      const hint = 'use a variable of another name, or let the operator add it to ELT_PASS_ENV';
      report(name, `${name} is never handed to a step`, hint, source);
    } else if (!service.names.has(name)) {
      const hint = `add the line ${name}=… to .env${handedOn ? '' : `, and ${entry}`}`;
      report(name, `${name} is not set`, hint, source);
    } else if (!handedOn) {
      report(name, `${name} is set, but this folder's steps do not get it`, `add ${entry}`, source);
    }
  };
  for (const { name, source } of references) missing(name, source, true);
  const prefix = `${config.name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}__`;
  for (const { name, required, source } of reads) {
    if (!required || BASE.test(name) || config.env[name] !== undefined) continue;
    const asked = config.tool === 'sling' || config.tool === 'dbt';
    const handed = asked || HANDED.test(name) || name.startsWith(prefix) || service.passEnv.includes(name);
    missing(name, source, handed);
  }
  return diagnostics;
}

/** Variables that the folder's `env:` takes values from: `${VAR}` without a default; `$${VAR}` is a literal. */
export function envReferences(root: MapReader): VariableRead[] {
  const env = root.value('env');
  return [...(env?.kind === 'map' ? env.entries.values() : [])].flatMap(({ value }) => {
    const text = value.kind === 'scalar' ? value.text : '';
    const source = { file: root.reader.file, line: value.line, column: value.column };
    const names = [...text.matchAll(/(?<!\$)\$\{(\w+)\}/g)].map((match) => match[1]!);
    return names.map((name) => ({ name, required: true, source }));
  });
}
