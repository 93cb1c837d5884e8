import { z } from 'zod';
import { actorOf, actorText } from '../actor.ts';
import type { App, AppDeps } from '../app-deps.ts';
import {
  AlertDelivery,
  AlertDeliveryList,
  AlertDeliveryQuery,
  AlertMuteRequest,
  AlertOverview,
  AlertRule,
  AlertTestResult,
} from '../contract/alert.ts';
import { decodeNumberCursor, pageOf } from '../cursor.ts';
import { expiryOf } from '../expiry.ts';
import { problems } from '../openapi.ts';
import { alertChannelView, alertDeliveryView, alertRuleView } from '../views/alert-view.ts';
import { viewContext } from '../views/view-context.ts';

const DEFAULT_DELIVERIES = 50;
const NameParams = z.object({ name: z.string() });

export function alertRoutes(app: App, deps: AppDeps): void {
  const { store, alerts } = deps;

  app.get(
    '/alerts',
    {
      schema: {
        tags: ['alerts'],
        summary: 'Rules and channels with their place in Git; channels by name and type, never by address',
        response: { 200: AlertOverview, ...problems },
      },
      config: { etag: 'body' },
    },
    overview,
  );

  app.get(
    '/alerts/deliveries',
    {
      schema: {
        tags: ['alerts'],
        summary: 'Messages and what became of them, newest first',
        querystring: AlertDeliveryQuery,
        response: { 200: AlertDeliveryList, ...problems },
      },
      config: { etag: 'body' },
    },
    async (request) => {
      const { limit = DEFAULT_DELIVERIES, cursor, status, rule, channel } = request.query;
      const before = decodeNumberCursor(cursor);
      const rows = await store.alerts.deliveries({
        limit: limit + 1,
        ...(before === undefined ? {} : { before }),
        ...(status === undefined ? {} : { statuses: [status] }),
        ...(rule === undefined ? {} : { rule }),
        ...(channel === undefined ? {} : { channel }),
      });
      return pageOf(rows, limit, (row) => row.deliveryNo, alertDeliveryView);
    },
  );

  app.post(
    '/alerts/deliveries/:name/retry',
    {
      schema: {
        tags: ['alerts'],
        summary: 'Tries a delivery that was given up again',
        params: NameParams,
        response: { 200: AlertDelivery, ...problems },
      },
    },
    async (request) => {
      await alerts.retry(request.params.name, actorText(actorOf(request)));
      return deliveryView(request.params.name);
    },
  );

  app.post(
    '/alerts/rules/:name/test',
    {
      schema: {
        tags: ['alerts'],
        summary: 'Sends a sample by each channel of a rule, now; answers what became of it',
        params: NameParams,
        response: { 200: AlertTestResult, ...problems },
      },
    },
    async (request) => {
      const ids = await alerts.testRule(request.params.name, actorText(actorOf(request)));
      return { items: await Promise.all(ids.map(deliveryView)) };
    },
  );

  app.post(
    '/alerts/channels/:name/test',
    {
      schema: {
        tags: ['alerts'],
        summary: 'Sends a sample to a channel, now; answers what became of it',
        params: NameParams,
        response: { 200: AlertTestResult, ...problems },
      },
    },
    async (request) => {
      const id = await alerts.testChannel(request.params.name, actorText(actorOf(request)));
      return { items: [await deliveryView(id)] };
    },
  );

  app.post(
    '/alerts/rules/:name/mute',
    {
      schema: {
        tags: ['alerts'],
        summary: 'Keeps a rule silent: what it would have said is recorded as muted',
        params: NameParams,
        body: AlertMuteRequest,
        response: { 200: AlertRule, ...problems },
      },
    },
    async (request) => {
      const { reason = '', expires_in: expiresIn } = request.body ?? {};
      const until = expiryOf(expiresIn, deps.clock.now());
      const { name } = request.params;
      await alerts.mute(name, until, reason.trim(), actorText(actorOf(request)));
      return ruleView(name);
    },
  );

  app.post(
    '/alerts/rules/:name/unmute',
    {
      schema: {
        tags: ['alerts'],
        summary: 'Lets a rule speak again; a mute in Git stays',
        params: NameParams,
        response: { 200: AlertRule, ...problems },
      },
    },
    async (request) => {
      await alerts.unmute(request.params.name, actorText(actorOf(request)));
      return ruleView(request.params.name);
    },
  );

  async function overview(): Promise<AlertOverview> {
    const context = viewContext(deps);
    const defined = context.definitions.alerts;
    const [mutes, ofRule, ofChannel] = await Promise.all([
      store.alerts.mutes(),
      store.alerts.latest('rule'),
      store.alerts.latest('channel'),
    ]);
    const states = alerts.states(defined);
    return {
      rules: [...defined.rules.values()].map((rule) =>
        alertRuleView(context, rule, mutes.get(rule.id), ofRule.get(rule.id)),
      ),
      channels: [...defined.channels.values()].map((channel) =>
        alertChannelView(context, channel, states, ofChannel.get(channel.id)),
      ),
    };
  }

  /** Of a rule that is known to be there. */
  async function ruleView(name: string): Promise<AlertRule> {
    const { rules } = await overview();
    return rules.find((rule) => rule.name === name)!;
  }

  async function deliveryView(deliveryId: string): Promise<AlertDelivery> {
    return alertDeliveryView((await store.alerts.delivery(deliveryId))!);
  }
}
