import {
  type AlertPolicy,
  fillTemplate,
  isHostNamed,
  isWholeVariable,
  variableRefusal,
  variablesOf,
} from '../definitions/alert-variables.ts';
import type { AlertChannel } from '../definitions/alerts.ts';
import { isLoopback } from '../lib/loopback.ts';

/** A channel with its secrets: made for one delivery, never kept. */
export type ChannelTarget =
  | {
      readonly type: 'slack' | 'webhook';
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly secret: string | null;
      /** Every value that came from a variable. */
      readonly secrets: readonly string[];
    }
  | {
      readonly type: 'email';
      readonly smtp: string;
      readonly to: readonly string[];
      readonly from: string;
      readonly secrets: readonly string[];
    };

export type ResolvedChannel =
  | { readonly ok: ChannelTarget }
  | { readonly problem: string; readonly hint: string };

/**
 * Fills in what the operator allows. Whoever may push can write a channel, so: only variables meant for alerts; and they
 * go only where the operator said, by setting the whole address as a variable or by naming the host in ELT_ALERT_HOSTS.
 * Problems never hold a value.
 */
export function resolveChannel(
  channel: AlertChannel,
  policy: AlertPolicy,
  environment: Readonly<Record<string, string | undefined>>,
): ResolvedChannel {
  const names = variablesOf(channel);
  for (const name of names) {
    const refusal = variableRefusal(name, policy);
    if (refusal !== null) return { problem: refusal.message, hint: refusal.hint };
    const value = environment[name];
    if (value === undefined || value === '')
      return { problem: `${name} is not set`, hint: `add the line ${name}=… to .env` };
  }
  const fill = (text: string): string => fillTemplate(text, (name) => environment[name]).text.trim();
  const template = channel.type === 'email' ? channel.smtp : channel.url;
  const address = URL.parse(fill(template));
  const schemes = channel.type === 'email' ? /^smtps?:$/ : /^https?:$/;
  if (address === null || !schemes.test(address.protocol) || address.hostname === '') {
    const wanted = channel.type === 'email' ? 'smtp://user:password@host:587' : 'https://host/path';
    return {
      problem: `the address of the channel "${channel.name}" cannot be read`,
      hint: `it is ${wanted}`,
    };
  }
  const host = address.hostname.replace(/^\[|\]$/g, '');
  const refused = refusedHost(channel, policy, template, host, names.length > 0);
  if (refused !== null) return refused;
  if (address.protocol === 'http:' && !isLoopback(host) && policy.hosts.length === 0) {
    return {
      problem: 'plain http:// would send alerts readable',
      hint: 'use https://, or let the operator name the host in ELT_ALERT_HOSTS',
    };
  }
  const secrets = names.flatMap((name) => environment[name] ?? []);
  if (channel.type === 'email') {
    const { to, from } = channel;
    return {
      ok: { type: 'email', smtp: fill(template), to, from, secrets: [...secrets, ...secretParts(address)] },
    };
  }
  const isHook = channel.type === 'webhook';
  const headers = isHook ? channel.headers.map(({ name, value }) => [name, fill(value)] as const) : [];
  const broken = headers.find(([, value]) => /[^\t\u0020-\u007e\u0080-\u00ff]/.test(value));
  if (broken !== undefined) {
    return {
      problem: `the value of the header "${broken[0]}" is not one line of plain text`,
      hint: 'look at its variable',
    };
  }
  const basic = basicAuth(address);
  return {
    ok: {
      type: channel.type,
      url: withoutUser(address),
      headers: {
        ...(basic === null ? {} : { authorization: `Basic ${basic}` }),
        ...Object.fromEntries(headers),
      },
      secret: isHook && channel.secret !== null ? fill(channel.secret) : null,
      secrets: [...secrets, ...secretParts(address), ...(basic === null ? [] : [basic])],
    },
  };
}

/** `fetch` takes no address with a user in it: they go into a header, as browsers do it. Null: there is none. */
function basicAuth({ username, password }: URL): string | null {
  if (username === '' && password === '') return null;
  return Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64');
}

function withoutUser(address: URL): string {
  const bare = new URL(address);
  bare.username = '';
  bare.password = '';
  return bare.href;
}

function refusedHost(
  channel: AlertChannel,
  { hosts }: AlertPolicy,
  template: string,
  host: string,
  hasVariables: boolean,
): { problem: string; hint: string } | null {
  if (hosts.length > 0) {
    if (isHostNamed(host, hosts)) return null;
    return {
      problem: `the host of the channel "${channel.name}" is not one of ELT_ALERT_HOSTS`,
      hint: 'let the operator add it there',
    };
  }
  if (!hasVariables || isWholeVariable(template)) return null;
  return {
    problem: `the channel "${channel.name}" would send a variable to a host that the repository chose`,
    hint: 'put the whole address into one variable, or let the operator name the host in ELT_ALERT_HOSTS',
  };
}

/** What of an address is worth hiding by itself: a receiver may say back a part of it. */
function secretParts(address: URL): string[] {
  const { username, password, pathname, search, searchParams } = address;
  const parts = [username, password, pathname, ...pathname.split('/'), search, ...searchParams.values()];
  return parts.filter((part) => part.length > 1).flatMap((part) => [part, decoded(part)]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
