import type { AlertMessage, MessageContext } from './alert-message.ts';
import type { AlertRecord } from './alert-record.ts';

/** The JSON of a webhook (docs/alerts.md). The same bytes at each attempt of a delivery, so that its signature is too. */
export function webhookBody(
  alert: AlertRecord,
  message: AlertMessage,
  deliveryId: string,
  { publicUrl, commitUrl }: MessageContext,
): Readonly<Record<string, unknown>> {
  return {
    version: 1,
    delivery_id: deliveryId,
    alert_id: alert.alertId,
    rule: alert.rule,
    event: alert.event,
    severity: alert.severity,
    test: alert.isTest,
    title: message.title,
    count: alert.count,
    opened_at: iso(alert.openedAt),
    url: message.url,
    items: alert.items.map((item) => ({
      subject: item.subject,
      what: item.what,
      severity: item.severity,
      at: iso(item.at),
      components: item.components,
      asset_keys: item.assetKeys,
      asset_count: item.assetCount,
      partition: item.partition,
      cause: item.cause,
      was: item.was ?? null,
      since: item.again === undefined ? null : iso(item.again.since),
      times: item.again?.times ?? 1,
      run_id: item.runId,
      backfill_id: item.backfillId,
      schedule: item.schedule,
      commit: item.commit?.sha ?? null,
      commit_url: item.commit === null ? null : commitUrl(item.commit.component, item.commit.sha),
      url: publicUrl + item.page,
    })),
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
