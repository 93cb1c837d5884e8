import { expect, it } from 'vitest';
import { decideWebhook, receiveWebhook } from '../../src/component/receive-webhook.ts';
import type { WebhookEvent } from '../../src/github/webhook.ts';
import { createLogger } from '../../src/lib/log.ts';
import { componentSettings, componentWorld, pythonFolder } from '../helpers/component.ts';
import { createRepository } from '../helpers/git-repository.ts';

const URL = 'https://github.com/acme/pipelines';
const COMPONENTS = [
  componentSettings('/h', 'git@github.com:acme/pipelines.git', { name: 'main' }),
  componentSettings('/h', URL, { name: 'next', ref: { kind: 'branch', name: 'next' } }),
  componentSettings('/h', URL, { name: 'tagged', ref: { kind: 'tag', name: 'v1' } }),
  componentSettings('/h', URL, { name: 'pinned', ref: { kind: 'commit', sha: 'a'.repeat(40) } }),
  componentSettings('/h', 'https://github.com/acme/other', { name: 'other' }),
];

function push(more: Partial<Extract<WebhookEvent, { kind: 'push' }>> = {}): WebhookEvent {
  return {
    kind: 'push',
    delivery: 'd',
    addresses: [`${URL}.git`],
    ref: 'refs/heads/main',
    after: 'b'.repeat(40),
    deleted: false,
    ...more,
  };
}

it.each<[string, WebhookEvent, string[]]>([
  ['the followed branch', push(), ['main']],
  ['another branch', push({ ref: 'refs/heads/next' }), ['next']],
  ['a branch that nobody follows', push({ ref: 'refs/heads/x' }), []],
  ['a tag', push({ ref: 'refs/tags/v1' }), ['tagged']],
  ['a tag named as a branch', push({ ref: 'refs/tags/main' }), []],
  ['a deleted branch', push({ deleted: true }), []],
  ['another repository', push({ addresses: ['https://github.com/evil/pipelines'] }), []],
  ['a hostile address', push({ addresses: ['ext::sh -c id', '--upload-pack=x'] }), []],
  ['ping', { kind: 'ping', delivery: 'd' }, []],
  ['anything else', { kind: 'other', delivery: 'd', event: 'star' }, []],
])('W5: %s', (_, event, refresh) => {
  expect(decideWebhook(event, COMPONENTS).refresh).toEqual(refresh);
});

it('W1: a delivery refreshes once; sent again it is seen', async () => {
  const repository = createRepository();
  repository.push(pythonFolder('a'));
  const world = await componentWorld(repository.bare);
  const settings = { components: [componentSettings(world.home, repository.bare)] };
  const deps = { settings, components: world.service, store: world.store, log: createLogger('silent') };
  const event = push({ addresses: [repository.bare] });
  expect(await receiveWebhook(event, deps)).toMatchObject({
    status: 202,
    outcome: 'refreshing',
    components: ['shop'],
  });
  expect(await receiveWebhook(event, deps)).toMatchObject({ status: 200, outcome: 'seen' });
  await world.service.settled();
  expect(world.service.component('shop')?.lastApplied).not.toBeNull();
  const [revision] = await world.store.components.revisions('shop', { limit: 5 });
  expect(revision?.trigger).toEqual({ kind: 'webhook', delivery: 'd' });
});
