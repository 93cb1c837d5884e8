import type { ComponentSettings, Settings } from '../config/settings.ts';
import { parseRemoteUrl, type RemoteUrl, sameRepository } from '../git/remote-url.ts';
import type { WebhookEvent } from '../github/webhook.ts';
import type { Logger } from '../lib/log.ts';
import type { OperationsStore } from '../store/store.ts';
import type { ComponentService } from './component.ts';

export type WatchedComponent = Pick<ComponentSettings, 'name' | 'repoUrl' | 'ref'>;

export interface WebhookDecision {
  /** Components that follow the ref that was pushed. */
  readonly refresh: readonly string[];
  /** For the log and the answer. */
  readonly reason: string;
}

/** Which components a delivery concerns. Pure; the payload only chooses among what the operator configured. */
export function decideWebhook(event: WebhookEvent, components: readonly WatchedComponent[]): WebhookDecision {
  switch (event.kind) {
    case 'ping':
      return { refresh: [], reason: 'pong' };
    case 'other':
      return { refresh: [], reason: `"${event.event}" events are not used` };
    case 'pull_request':
      return { refresh: [], reason: 'pull requests are not planned by this release' };
    case 'push':
      return decidePush(event, components);
  }
}

function decidePush(
  event: Extract<WebhookEvent, { kind: 'push' }>,
  components: readonly WatchedComponent[],
): WebhookDecision {
  const named = event.addresses.flatMap(readAddress);
  const ours = components.filter(({ repoUrl }) =>
    readAddress(repoUrl).some((remote) => named.some((other) => sameRepository(remote, other))),
  );
  if (ours.length === 0) return { refresh: [], reason: 'no component follows this repository' };
  if (event.deleted) return { refresh: [], reason: 'the ref was deleted' };
  const refresh = ours.filter(({ ref }) => follows(ref, event.ref)).map(({ name }) => name);
  return refresh.length === 0
    ? { refresh, reason: `no component follows ${event.ref}` }
    : { refresh, reason: `refresh of ${refresh.join(', ')}` };
}

function readAddress(address: string): RemoteUrl[] {
  const result = parseRemoteUrl(address, { local: true });
  return 'ok' in result ? [result.ok] : [];
}

function follows(ref: ComponentSettings['ref'], pushed: string): boolean {
  if (ref.kind === 'commit') return false;
  if (ref.kind === 'semver') return pushed.startsWith('refs/tags/');
  return pushed === `refs/${ref.kind === 'branch' ? 'heads' : 'tags'}/${ref.name}`;
}

export interface WebhookAnswer {
  /** 202: a refresh was asked for; 200: nothing to do, or seen before. */
  readonly status: 200 | 202;
  readonly outcome: 'refreshing' | 'ignored' | 'seen';
  readonly reason: string;
  readonly components: readonly string[];
}

export interface ReceiveWebhookDeps {
  readonly settings: Pick<Settings, 'components'>;
  readonly components: Pick<ComponentService, 'requestRefresh'>;
  readonly store: { readonly operations: Pick<OperationsStore, 'recordDelivery'> };
  readonly log: Logger;
}

/**
 * Acts on a verified delivery: each id once (fault W1), the refresh in the background (W7). The delivery is recorded
 * first; should the service die before the refresh, its next start refreshes anyway.
 */
export async function receiveWebhook(event: WebhookEvent, deps: ReceiveWebhookDeps): Promise<WebhookAnswer> {
  const { log } = deps;
  const { refresh, reason } = decideWebhook(event, deps.settings.components);
  const outcome = refresh.length === 0 ? 'ignored' : 'refreshing';
  const isNew = await deps.store.operations.recordDelivery({
    id: event.delivery,
    event: event.kind,
    outcome: reason,
  });
  log.info(
    { delivery: event.delivery, event: event.kind, outcome: isNew ? outcome : 'seen', reason },
    'webhook received',
  );
  if (!isNew)
    return { status: 200, outcome: 'seen', reason: 'this delivery was seen before', components: [] };
  for (const component of refresh) {
    deps.components
      .requestRefresh(component, { kind: 'webhook', delivery: event.delivery })
      .catch((error: unknown) => {
        log.warn({ component, reason: String(error) }, 'the refresh of a webhook failed');
      });
  }
  return { status: refresh.length === 0 ? 200 : 202, outcome, reason, components: refresh };
}
