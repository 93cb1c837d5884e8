import { EXIT } from '../../lib/errors.ts';
import type {
  AlertDelivery,
  AlertMute,
  AlertOverview,
  AlertRule,
  AlertTestResult,
} from '../../server/contract/alert.ts';
import { CliError } from '../cli-error.ts';
import { type Client, segment } from '../client.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { instant, relative } from '../format.ts';
import { printJson, showItems } from '../output.ts';
import { type Paint, table } from '../render.ts';
import { bodyOf } from './control.ts';

export interface AlertOptions {
  readonly for?: string;
  readonly reason?: string;
  readonly limit: number;
}

const ACTIONS = ['test', 'mute', 'unmute', 'log', 'retry'] as const;
const PAINTS: Readonly<Record<AlertDelivery['status'], Paint>> = {
  sent: 'green',
  failed: 'red',
  waiting: 'yellow',
  sending: 'blue',
  muted: 'dim',
};

/** `elt alerts [test|mute|unmute|log|retry] [name]`; without an action rules and channels. */
export function alerts(
  context: CliContext,
  action: string | undefined,
  name: string | undefined,
  options: AlertOptions,
): Promise<number> {
  if (action === undefined) return withClient(context, (client) => overview(context, client));
  const known = ACTIONS.find((one) => one === action);
  if (known === undefined) {
    throw new CliError('REQUEST_INVALID', `unknown action '${action}'`, {
      hint: `use ${ACTIONS.join(', ')}`,
    });
  }
  return withClient(context, (client) => {
    if (known === 'log') return log(context, client, options.limit);
    if (known === 'test') return test(context, client, name);
    if (name === undefined) {
      const what = known === 'retry' ? 'delivery' : 'rule';
      throw new CliError('REQUEST_INVALID', `which ${what}?`, { hint: `elt alerts ${known} <${what}>` });
    }
    if (known === 'retry') return retry(context, client, name);
    return setMute(context, client, known, name, options);
  });
}

async function overview(context: CliContext, client: Client): Promise<number> {
  const found = await client.get<AlertOverview>('/alerts');
  if (context.json) {
    printJson(context, found);
    return EXIT.ok;
  }
  if (found.rules.length + found.channels.length === 0) {
    context.note(
      'no alerts: add "alerts:" to the dagster.yaml at the root of the repository (docs/alerts.md)',
    );
    return EXIT.ok;
  }
  const now = Date.now();
  const rules = table<AlertRule>(
    [
      { title: 'RULE', value: (rule) => rule.name },
      { title: 'ON', value: (rule) => rule.on.join(', '), shrink: true },
      { title: 'SELECT', value: (rule) => rule.select ?? 'everything', shrink: true },
      { title: 'CHANNELS', value: (rule) => rule.channels.join(', ') },
      {
        title: 'STATE',
        value: (rule) => (!rule.enabled ? 'disabled' : rule.mute === null ? 'on' : muteText(rule.mute, now)),
        paint: (rule) => (rule.enabled && rule.mute === null ? 'green' : 'yellow'),
      },
      { title: 'LAST', value: ({ last_delivery: last }) => lastText(last, now) },
    ],
    found.rules,
    context,
  );
  const channels = table(
    [
      { title: 'CHANNEL', value: (channel) => channel.name },
      { title: 'TYPE', value: (channel) => channel.type },
      {
        title: 'STATE',
        value: (channel) => (channel.ready ? 'ready' : `${channel.problem ?? ''}: ${channel.hint ?? ''}`),
        paint: (channel) => (channel.ready ? 'green' : 'red'),
        shrink: true,
      },
      { title: 'LAST', value: ({ last_delivery: last }) => lastText(last, now) },
    ],
    found.channels,
    context,
  );
  context.out(`${rules}\n\n${channels}`);
  return EXIT.ok;
}

async function log(context: CliContext, client: Client, limit: number): Promise<number> {
  const items = await client.all<AlertDelivery>('/alerts/deliveries', {}, limit);
  return showItems(context, items, (rows) => deliveryTable(context, rows));
}

/** A channel, else a rule of that name; without a name every channel. 1 when one of them did not arrive. */
async function test(context: CliContext, client: Client, name: string | undefined): Promise<number> {
  const { channels, rules } = await client.get<AlertOverview>('/alerts');
  const isRule =
    name !== undefined &&
    !channels.some((one) => one.name === name) &&
    rules.some((one) => one.name === name);
  const names = name === undefined ? channels.map((channel) => channel.name) : [name];
  const results: AlertTestResult[] = [];
  for (const one of names) {
    const path = `/alerts/${isRule ? 'rules' : 'channels'}/${segment(one)}/test`;
    results.push(await client.post<AlertTestResult>(path));
  }
  const items = results.flatMap((result) => result.items);
  showItems(context, items, (rows) => deliveryTable(context, rows));
  return items.every(({ status }) => status === 'sent') ? EXIT.ok : EXIT.failed;
}

async function retry(context: CliContext, client: Client, id: string): Promise<number> {
  const delivery = await client.post<AlertDelivery>(`/alerts/deliveries/${segment(id)}/retry`);
  if (context.json) printJson(context, delivery);
  else context.out(`${delivery.delivery_id} waits for its next attempt`);
  return EXIT.ok;
}

async function setMute(
  context: CliContext,
  client: Client,
  action: 'mute' | 'unmute',
  name: string,
  options: AlertOptions,
): Promise<number> {
  const body = action === 'mute' ? bodyOf(options) : undefined;
  const rule = await client.post<AlertRule>(`/alerts/rules/${segment(name)}/${action}`, body);
  if (context.json) printJson(context, rule);
  else context.out(`${rule.name}: ${rule.mute === null ? 'on' : muteText(rule.mute, Date.now())}`);
  return EXIT.ok;
}

function deliveryTable(context: CliContext, rows: readonly AlertDelivery[]): string {
  return table(
    [
      { title: 'WHEN', value: (row) => instant(row.created_at) },
      { title: 'CHANNEL', value: (row) => row.channel },
      { title: 'RULE', value: (row) => row.rule ?? 'test' },
      { title: 'STATUS', value: (row) => row.status, paint: (row) => PAINTS[row.status] },
      { title: 'MESSAGE', value: (row) => row.title, shrink: true },
      { title: 'WHY', value: (row) => row.error ?? row.response ?? '', shrink: true },
      { title: 'ID', value: (row) => row.delivery_id },
    ],
    rows,
    context,
  );
}

function muteText({ until, by }: AlertMute, now: number): string {
  const end = until === null ? '' : `, again ${relative(until, now)}`;
  return `muted by ${by}${end}`;
}

function lastText(last: AlertDelivery | null, now: number): string {
  return last === null ? 'never' : `${last.status} ${relative(last.created_at, now)}`;
}
