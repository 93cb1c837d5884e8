import type { AlertChannel } from './alerts.ts';

/** What the operator allows alerts. Whoever may push to a repository writes channels; only the operator hands secrets out. */
export interface AlertPolicy {
  /** `ELT_ALERT_ENV`: variables that channels may name, beside those that begin with `ELT_ALERT_`. */
  readonly variables: readonly string[];
  /** `ELT_ALERT_HOSTS`: where alerts may go, `hooks.slack.com` or `*.example.com`; empty: anywhere. */
  readonly hosts: readonly string[];
  /** Variables that hold the service's own Git tokens, beside the names that are known to. */
  readonly withheld: readonly string[];
}

const OWN = /^ELT_ALERT_(?!ENV$|HOSTS$)\w+$/;
/** The service's own keys: no setting gives them to a channel. */
const NEVER =
  /^(?:GITHUB_TOKEN|GH_TOKEN|DATABASE_URL|ELT_(?!ALERT_)\w+|ELT_ALERT_(?:ENV|HOSTS)|GITHUB_APP_\w+)$/;
const REFERENCE = /\$\{([A-Za-z_]\w*)\}/g;

/** Why a channel does not get a variable, and what to do; null: it does, if it is set. */
export function variableRefusal(
  name: string,
  policy: Pick<AlertPolicy, 'variables' | 'withheld'>,
): { readonly message: string; readonly hint: string } | null {
  if (NEVER.test(name) || policy.withheld.includes(name)) {
    return { message: `${name} is never given to alerts`, hint: 'use a variable of another name' };
  }
  if (OWN.test(name) || policy.variables.includes(name)) return null;
  return {
    message: `${name} is not given to alerts`,
    hint: `call it ELT_ALERT_${name.replace(/^ELT_/, '')}, or let the operator add ELT_ALERT_ENV=${name} to .env`,
  };
}

/** Names of the variables that a channel needs, each once. */
export function variablesOf(channel: AlertChannel): readonly string[] {
  const names = templatesOf(channel).flatMap((text) =>
    [...text.matchAll(REFERENCE)].map(([, name]) => name!),
  );
  return [...new Set(names)];
}

function templatesOf(channel: AlertChannel): readonly string[] {
  switch (channel.type) {
    case 'slack':
      return [channel.url];
    case 'email':
      return [channel.smtp];
    case 'webhook':
      return [channel.url, channel.secret ?? '', ...channel.headers.map(({ value }) => value)];
  }
}

/** Text with its references filled in; the names that are not set. */
export function fillTemplate(
  text: string,
  lookUp: (name: string) => string | undefined,
): { readonly text: string; readonly missing: readonly string[] } {
  const missing: string[] = [];
  const filled = text.replace(REFERENCE, (_, name: string) => {
    const value = lookUp(name);
    if (value === undefined || value === '') missing.push(name);
    return value ?? '';
  });
  return { text: filled, missing };
}

/** `${NAME}` and nothing else: then whoever sets the variable chose the address. */
export function isWholeVariable(text: string): boolean {
  return /^\$\{[A-Za-z_]\w*\}$/.test(text);
}

/** Whether a host is one of those named; `*.example.com` stands for everything below. */
export function isHostNamed(host: string, hosts: readonly string[]): boolean {
  const wanted = host.toLowerCase().replace(/\.$/, '');
  return hosts.some((entry) => {
    const name = entry.toLowerCase();
    return name.startsWith('*.') ? wanted.endsWith(name.slice(1)) : wanted === name;
  });
}
