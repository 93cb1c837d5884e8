import { parse } from 'yaml';
import type { StepError } from '../../events/run-event.ts';
import { isPathOfSecret, isSecretName } from '../../lib/secret.ts';
import type { StepSpec } from '../../plan/step-spec.ts';
import { windowTexts } from './partition-variables.ts';
import type { PassedNames } from './passed-names.ts';

export interface ChildEnvironmentInput {
  readonly spec: StepSpec;
  /** The service's environment and `.env`. */
  readonly environment: Readonly<Record<string, string>>;
  /** `ELT_PASS_ENV`. */
  readonly passEnv: readonly string[];
  /** Variables that hold the service's own Git tokens, beside the names that are known to. */
  readonly tokenVariables?: readonly string[];
  readonly passed: PassedNames;
  /** Absolute folder of shared databases. */
  readonly sharedDir: string;
}

export type ChildEnvironment =
  | { readonly ok: true; readonly env: Readonly<Record<string, string>>; readonly secrets: readonly string[] }
  | { readonly ok: false; readonly error: StepError };

const BASE = new Set(
  (
    'PATH LANG LANGUAGE TZ TMPDIR SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS ' +
    'HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy'
  ).split(' '),
);
const PATTERNS = [
  /^LC_/,
  /^SOURCES__/,
  /^DESTINATION__/,
  /^RUNTIME__/,
  /_INITIAL_VALUE$/,
  /_END_VALUE$/,
  /^DUCKDB_DATABASE$/,
];
/** The service's own keys; only the first two can be given on, and only by the operator. */
const TOKENS = new Set(['GITHUB_TOKEN', 'GH_TOKEN']);
const NEVER = [/^ELT_.*(?:TOKEN|SECRET|KEY)$/, /^ELT_ALERT_/, /^DATABASE_URL$/, /^(?:ELT_)?GITHUB_APP_/];
/** `$${` is a plain `${`, as in defs.yaml. */
const REFERENCE =
  /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\{(partition_key|window_start|window_end)\}/g;
const URL_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:([^\s@/]+)@/i;

/**
 * What a step is given of the service's environment, and the folder's `env:` (`interfaces.md` §3 "What a step gets").
 * Pure. A variable that `env:` needs and nobody set is an error that says which line of `.env` would set it.
 */
export function childEnvironment(input: ChildEnvironmentInput): ChildEnvironment {
  const { spec, environment } = input;
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (isPassed(name, input) && !isWithheld(name, input)) env[name] = value;
  }
  const secretNames = new Set(Object.keys(env).filter(isSecretName));
  const missing = new Set<string>();
  const withheld = new Set<string>();
  for (const [name, template] of Object.entries(spec.config.env)) {
    const value = fill(template, (reference) => {
      if (isWithheld(reference, input)) {
        withheld.add(reference);
        return null;
      }
      if (isSecretName(reference)) secretNames.add(name);
      return environment[reference] === undefined || environment[reference] === ''
        ? null
        : environment[reference];
    });
    for (const absent of value.missing) if (!withheld.has(absent)) missing.add(absent);
    if (value.text === null) delete env[name];
    else env[name] = value.text;
    if (isSecretName(name)) secretNames.add(name);
  }
  if (withheld.size > 0 || missing.size > 0)
    return { ok: false, error: missingError(input, missing, withheld) };
  env['DUCKDB_DATABASE'] = absoluteDatabase(env['DUCKDB_DATABASE'] ?? 'data.duckdb', input.sharedDir);
  const secrets = Object.entries(env).flatMap(([name, value]) =>
    secretParts(
      value,
      secretNames.has(name) && !isPathOfSecret(name, value),
      input.passed.connections.has(name),
    ),
  );
  return { ok: true, env, secrets };

  /** Text with its references filled in; null when a partition's value was asked for that this run does not have. */
  function fill(
    template: string,
    lookUp: (name: string) => string | null,
  ): { text: string | null; missing: string[] } {
    const absent: string[] = [];
    let hasAll = true;
    const text = template.replace(
      REFERENCE,
      (whole, name: string | undefined, fallback: string | undefined, slot: string | undefined) => {
        if (whole === '$${') return '${';
        if (name === undefined) {
          const value = slotValue(spec, slot as string);
          hasAll &&= value !== null;
          return value ?? '';
        }
        const value = lookUp(name) ?? fallback;
        if (value === undefined) absent.push(name);
        return value ?? '';
      },
    );
    return { text: hasAll ? text : null, missing: absent };
  }
}

/** A path of a database file, once and for all tools; what is not a path of this machine stays as it is. */
function absoluteDatabase(value: string, sharedDir: string): string {
  const isElsewhere = value.startsWith('/') || value.startsWith(':') || /^[a-z][a-z0-9+.-]*:/i.test(value);
  return isElsewhere ? value : `${sharedDir}/${value.replace(/^\.\//, '')}`;
}

/**
 * What is to be masked of a value: all of it if its name says so; of others the password of a URL, and of a connection in
 * JSON or YAML the fields that are secret by their name.
 */
function secretParts(value: string, isSecret: boolean, isConnection: boolean): readonly string[] {
  const parts: string[] = [];
  if (isSecret) parts.push(value);
  const password = URL_PASSWORD.exec(value)?.[1];
  if (password !== undefined) parts.push(value, password, decode(password));
  if (isConnection) parts.push(...secretFields(value));
  return parts;
}

/** Sling reads a connection as JSON or YAML, both of which YAML is; an address gives nothing here. */
function secretFields(value: string): string[] {
  try {
    const fields: unknown = parse(value);
    if (fields === null || typeof fields !== 'object') return [];
    return Object.entries(fields).flatMap(([name, field]: [string, unknown]) =>
      isSecretName(name) && (typeof field === 'string' || typeof field === 'number') ? [String(field)] : [],
    );
  } catch {
    return [];
  }
}

function isPassed(name: string, { spec, passEnv, passed }: ChildEnvironmentInput): boolean {
  if (BASE.has(name) || passEnv.includes(name) || passed.names.has(name)) return true;
  if (PATTERNS.some((pattern) => pattern.test(name))) return true;
  return prefixesOf(spec).some((prefix) => name.startsWith(prefix));
}

function isWithheld(name: string, input: ChildEnvironmentInput): boolean {
  if (NEVER.some((pattern) => pattern.test(name))) return true;
  return isToken(name, input) && !input.passEnv.includes(name);
}

function isToken(name: string, { tokenVariables }: ChildEnvironmentInput): boolean {
  return TOKENS.has(name) || tokenVariables?.includes(name) === true;
}

/** dlt's own: `<PIPELINE>__DESTINATION_TYPE`. */
function prefixesOf(spec: StepSpec): string[] {
  const { name: folder, dlt } = spec.config;
  const sources = (dlt?.sources ?? []).map(({ name }) => name);
  const names = [spec.pipeline, folder, dlt?.pipelineName, ...sources].filter((name) => name !== undefined);
  return names.map((name) => `${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}__`);
}

function slotValue(spec: StepSpec, slot: string): string | null {
  if (slot === 'partition_key') return spec.partitions.kind === 'key' ? spec.partitions.key : null;
  if (spec.window === null) return null;
  const { start, end } = windowTexts(spec.window, spec.timezone);
  return slot === 'window_start' ? start : end;
}

function missingError(
  input: ChildEnvironmentInput,
  missing: ReadonlySet<string>,
  withheld: ReadonlySet<string>,
): StepError {
  const { spec } = input;
  const { file } = spec.config.source;
  const lines = [
    ...[...missing].map((name) => `${name} is not set: add the line ${name}=<value> to .env`),
    ...[...withheld].map((name) =>
      isToken(name, input) && !NEVER.some((pattern) => pattern.test(name))
        ? `${name} is not given to steps: if you mean it, add the line ELT_PASS_ENV=${name} to .env and start the service again`
        : `${name} belongs to the service and is never given to steps`,
    ),
  ];
  return {
    code: 'SECRET_MISSING',
    message: `${file === '' ? spec.pipeline : file}: ${lines.join('; ')}`,
    failureClass: 'config',
    ...(file === '' ? {} : { file }),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
