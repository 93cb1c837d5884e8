import type { AlertChannel } from '../../definitions/alerts.ts';
import { isLoopback } from '../../lib/loopback.ts';
import { isSecretName } from '../../lib/secret.ts';
import { NAME_HINT, nameMistake } from './alert-name.ts';
import type { MapReader } from './map-reader.ts';

const KEYS = {
  slack: ['type', 'url'],
  email: ['type', 'to', 'from', 'smtp'],
  webhook: ['type', 'url', 'headers', 'secret'],
} as const;
const TYPES = ['slack', 'email', 'webhook'] as const;
const SYNONYMS = { webhook_url: 'url', address: 'url', recipients: 'to', server: 'smtp' } as const;
const MOST_CHANNELS = 100;
const MOST_RECIPIENTS = 50;
const ADDRESS = /^[^\s@<>,;:"\\()[\]]{1,64}@[^\s@<>,;:"\\()[\]]{1,253}$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
/** What the delivery sets itself. */
const OWN_HEADERS = /^(?:host|content-(?:length|type)|connection|transfer-encoding|user-agent|x-elt-.*)$/i;
const REFERENCE = /\$\{[A-Za-z_]\w*\}/;
const SLACK_HOOK = /^https:\/\/hooks\.slack(?:-gov)?\.com\/(?:services|workflows|triggers)\/[^$]*$/i;

export interface Channels {
  readonly channels: readonly AlertChannel[];
  /** Of those with mistakes too, so that a rule that names one is not blamed for them. */
  readonly names: ReadonlySet<string>;
}

/** `alerts.channels`. */
export function readChannels(alerts: MapReader): Channels {
  const section = alerts.section('channels', null);
  const channels: AlertChannel[] = [];
  const names = new Set<string>();
  for (const { key, at } of section?.map.entries.values() ?? []) {
    names.add(key);
    if (names.size === MOST_CHANNELS + 1) {
      section!.reader.error('CONFIG_VALUE', at, section!.path, `more than ${MOST_CHANNELS} channels`);
    }
    const mistake = nameMistake(key);
    if (mistake !== null) section!.reader.error('CONFIG_VALUE', at, section!.pathOf(key), mistake, NAME_HINT);
    const entry = section!.section(key, null);
    const channel = entry === undefined ? null : readChannel(entry, key);
    if (channel !== null) channels.push(channel);
  }
  return { channels, names };
}

function readChannel(loose: MapReader, name: string): AlertChannel | null {
  if (!loose.has('type')) {
    loose.missing('type', 'a channel needs a type', `type: ${TYPES.join(' | ')}`);
    return null;
  }
  const type = loose.oneOf('type', TYPES);
  if (type === undefined) return null;
  const map = loose.child(loose.map, loose.path, KEYS[type], SYNONYMS);
  const source = { file: map.reader.file, line: loose.at.line, column: loose.at.column };
  switch (type) {
    case 'slack': {
      const url = readUrl(map, 'url: "${ELT_ALERT_SLACK_URL}"');
      return url === null ? null : { type, name, source, url };
    }
    case 'email': {
      const to = readRecipients(map);
      const from = readSender(map);
      const smtp = readSmtp(map);
      return to === null || from === null || smtp === null ? null : { type, name, source, to, from, smtp };
    }
    case 'webhook': {
      const url = readUrl(map, 'url: "${ELT_ALERT_PAGER_URL}"');
      const headers = readHeaders(map);
      const secret = readSecret(map);
      return url === null ? null : { type, name, source, url, headers, secret };
    }
  }
}

function readUrl(map: MapReader, example: string): string | null {
  const url = readTemplate(map, 'url', example);
  if (url === null) return null;
  if (SLACK_HOOK.test(url)) return committed(map, 'url', 'the address of a Slack webhook is a secret');
  if (REFERENCE.test(url)) return url;
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.hostname === '') {
    map.error('CONFIG_VALUE', 'url', 'this is no address of a web server', 'write https://…, or a variable');
    return null;
  }
  if (parsed.password !== '' || parsed.username !== '')
    return committed(map, 'url', 'the address holds a password');
  if (parsed.protocol === 'http:' && !isLoopback(parsed.hostname)) {
    map.error('CONFIG_VALUE', 'url', 'plain http:// would send alerts readable', 'use https://');
    return null;
  }
  return url;
}

function readSmtp(map: MapReader): string | null {
  const smtp = readTemplate(map, 'smtp', 'smtp: "${ELT_ALERT_SMTP_URL}"');
  if (smtp === null) return null;
  const password = /^smtps?:\/\/[^@/]*:([^@]*)@/i.exec(smtp)?.[1];
  if (password !== undefined && !REFERENCE.test(password))
    return committed(map, 'smtp', 'the address holds a password');
  if (REFERENCE.test(smtp)) return smtp;
  const parsed = URL.parse(smtp);
  if (parsed === null || !/^smtps?:$/.test(parsed.protocol) || parsed.hostname === '') {
    const hint = 'write smtp://host:587, smtps://host:465, or a variable';
    map.error('CONFIG_VALUE', 'smtp', 'this is no address of a mail server', hint);
    return null;
  }
  return smtp;
}

function readRecipients(map: MapReader): readonly string[] | null {
  if (!map.has('to')) {
    map.missing('to', 'an e-mail needs recipients', 'to: [ops@example.com]');
    return null;
  }
  const to = (map.texts('to', { alone: true }) ?? []).map((text) => text.trim());
  const wrong = to.filter((address) => !ADDRESS.test(address));
  for (const address of wrong) {
    map.error('CONFIG_VALUE', 'to', `"${address.slice(0, 80)}" is no e-mail address`);
  }
  if (to.length > MOST_RECIPIENTS) map.error('CONFIG_VALUE', 'to', `more than ${MOST_RECIPIENTS} recipients`);
  return wrong.length > 0 || to.length === 0 ? null : to;
}

function readSender(map: MapReader): string | null {
  if (!map.has('from')) {
    map.missing('from', 'an e-mail needs a sender', 'from: elt@example.com');
    return null;
  }
  const from = map.text('from')?.trim();
  if (from === undefined || ADDRESS.test(from)) return from ?? null;
  map.error('CONFIG_VALUE', 'from', `"${from.slice(0, 80)}" is no e-mail address`);
  return null;
}

function readHeaders(map: MapReader): { name: string; value: string }[] {
  return Object.entries(map.textMap('headers', { anyScalar: true }) ?? {}).flatMap(([name, value]) => {
    const inner = map.section('headers', null)!;
    if (!HEADER_NAME.test(name) || OWN_HEADERS.test(name)) {
      inner.error('CONFIG_VALUE', name, `"${name.slice(0, 80)}" cannot be set as a header`);
      return [];
    }
    if (/[^\t\u0020-\u007e\u0080-\u00ff]/.test(value)) {
      inner.error('CONFIG_VALUE', name, 'the value of a header is one line of plain text');
      return [];
    }
    if (isSecretName(name) && !REFERENCE.test(value)) {
      committed(inner, name, `the value of "${name}" is a secret`);
      return [];
    }
    return [{ name, value }];
  });
}

function readSecret(map: MapReader): string | null {
  const secret = map.text('secret');
  if (secret === undefined) return null;
  if (REFERENCE.test(secret)) return secret;
  return committed(map, 'secret', 'the key of a signature is a secret');
}

function readTemplate(map: MapReader, key: string, example: string): string | null {
  if (!map.has(key)) {
    map.missing(key, `this channel needs "${key}"`, example);
    return null;
  }
  return map.text(key)?.trim() ?? null;
}

/** Never with the value: diagnostics are shown. */
function committed(map: MapReader, key: string, what: string): null {
  const hint =
    'put it into .env under a name that begins with ELT_ALERT_, write ${THAT_NAME} here, and replace it where it was made';
  map.error('SECRET_IN_REPOSITORY', key, `${what}; it must not stand in the repository`, hint);
  return null;
}
