import type { ComponentSettings, Settings } from '../config/settings.ts';
import { parseRemoteUrl, type RemoteUrl, sameRepository } from '../git/remote-url.ts';
import type { WebhookEvent } from '../github/webhook.ts';
import type { Logger } from '../lib/log.ts';
import type { OutboxStore } from '../store/outbox-store.ts';
import type { OperationsStore } from '../store/store.ts';
import type { ComponentService } from './component.ts';

/** Topic of queued plans of pull requests. */
export const PULL_REQUEST_TOPIC = 'pull_request';

export type WatchedComponent = Pick<ComponentSettings, 'name' | 'repoUrl' | 'ref' | 'github'>;

export interface WebhookDecision {
  /** Components that follow the ref that was pushed. */
  readonly refresh: readonly string[];
  /** Components whose plan of the pull request is wanted. */
  readonly plan: readonly string[];
  /** For the log and the answer. */
  readonly reason: string;
}

/** Which components a delivery concerns. Pure; the payload only chooses among what the operator configured. */
export function decideWebhook(event: WebhookEvent, components: readonly WatchedComponent[]): WebhookDecision {
  switch (event.kind) {
    case 'ping':
      return nothing('pong');
    case 'other':
      return nothing(`"${event.event}" events are not used`);
    case 'pull_request':
      return decidePullRequest(event, components);
    case 'push':
      return decidePush(event, components);
  }
}

function decidePush(
  event: Extract<WebhookEvent, { kind: 'push' }>,
  components: readonly WatchedComponent[],
): WebhookDecision {
  const ours = ofRepository(event, components);
  if (ours.length === 0) return nothing('no component follows this repository');
  if (event.deleted) return nothing('the ref was deleted');
  const refresh = ours.filter(({ ref }) => follows(ref, event.ref)).map(({ name }) => name);
  return refresh.length === 0
    ? nothing(`no component follows ${event.ref}`)
    : { refresh, plan: [], reason: `refresh of ${refresh.join(', ')}` };
}

/** Actions after which a pull request holds other commits, or aims at another branch. */
const PLANNED_ACTIONS: ReadonlySet<string> = new Set(['opened', 'synchronize', 'reopened', 'edited']);

function decidePullRequest(
  event: Extract<WebhookEvent, { kind: 'pull_request' }>,
  components: readonly WatchedComponent[],
): WebhookDecision {
  const ours = ofRepository(event, components);
  if (ours.length === 0) return nothing('no component follows this repository');
  if (!PLANNED_ACTIONS.has(event.action)) return nothing(`"${event.action}" changes no plan`);
  const told = ours.filter(({ github }) => github?.prComments === true);
  if (told.length === 0) return nothing('github.pr_comments is off');
  const plan = told
    .filter(({ ref }) => ref.kind === 'branch' && ref.name === event.base)
    .map(({ name }) => name);
  return plan.length === 0
    ? nothing(`no component follows the branch "${event.base}"`)
    : { refresh: [], plan, reason: `plan of ${plan.join(', ')}` };
}

function nothing(reason: string): WebhookDecision {
  return { refresh: [], plan: [], reason };
}

function ofRepository(
  { addresses }: { readonly addresses: readonly string[] },
  components: readonly WatchedComponent[],
): readonly WatchedComponent[] {
  const named = addresses.flatMap(readAddress);
  return components.filter(({ repoUrl }) =>
    readAddress(repoUrl).some((remote) => named.some((other) => sameRepository(remote, other))),
  );
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
  readonly outcome: 'refreshing' | 'planning' | 'ignored' | 'seen';
  readonly reason: string;
  readonly components: readonly string[];
}

export interface ReceiveWebhookDeps {
  readonly settings: Pick<Settings, 'components'>;
  readonly components: Pick<ComponentService, 'requestRefresh'>;
  readonly store: {
    readonly operations: Pick<OperationsStore, 'recordDelivery'>;
    readonly outbox: Pick<OutboxStore, 'add'>;
  };
  /** Told when a plan was queued. */
  readonly onQueued?: () => void;
  readonly log: Logger;
}

/**
 * Acts on a verified delivery: each id once (fault W1), the refresh in the background (W7). The delivery is recorded
 * first; should the service die before the refresh, its next start refreshes anyway.
 */
export async function receiveWebhook(event: WebhookEvent, deps: ReceiveWebhookDeps): Promise<WebhookAnswer> {
  const { log } = deps;
  const { refresh, plan, reason } = decideWebhook(event, deps.settings.components);
  const outcome = refresh.length > 0 ? 'refreshing' : plan.length > 0 ? 'planning' : 'ignored';
  if (event.kind === 'pull_request') {
    // Before the delivery is known as seen: a crash in between queues it once more, and the newest of a key stays alone.
    await deps.store.outbox.add(
      plan.map((component) => ({
        topic: PULL_REQUEST_TOPIC,
        key: `${component}#${event.number}`,
        payload: { component, number: event.number, head: event.head },
      })),
    );
    if (plan.length > 0) deps.onQueued?.();
  }
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
  const components = [...refresh, ...plan];
  return { status: components.length === 0 ? 200 : 202, outcome, reason, components };
}
