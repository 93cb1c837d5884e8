import path from 'node:path';
import { expect, it } from 'vitest';
import { decideWebhook, receiveWebhook } from '../../src/component/receive-webhook.ts';
import type { WebhookEvent } from '../../src/github/webhook.ts';
import { createLogger } from '../../src/lib/log.ts';
import {
  type ComponentWorld,
  componentSettings,
  componentWorld,
  pythonFolder,
} from '../helpers/component.ts';
import { createRepository } from '../helpers/git-repository.ts';
import { startGitServer } from '../helpers/git-server.ts';

const URL = 'https://github.com/acme/pipelines';
const COMPONENTS = [
  componentSettings('/h', 'git@github.com:acme/pipelines.git', { name: 'main' }),
  componentSettings('/h', URL, { name: 'next', ref: { kind: 'branch', name: 'next' } }),
  componentSettings('/h', URL, { name: 'tagged', ref: { kind: 'tag', name: 'v1' } }),
  componentSettings('/h', URL, { name: 'pinned', ref: { kind: 'commit', sha: 'a'.repeat(40) } }),
  componentSettings('/h', URL, { name: 'versions', ref: { kind: 'semver', range: '1.x' } }),
  componentSettings('/h', URL, {
    name: 'told',
    ref: { kind: 'branch', name: 'told' },
    github: { statuses: true, prComments: true, apiUrl: 'https://api.github.com' },
  }),
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
  ['a tag', push({ ref: 'refs/tags/v1' }), ['tagged', 'versions']],
  ['a tag named as a branch', push({ ref: 'refs/tags/main' }), ['versions']],
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

function pullRequest(more: Partial<Extract<WebhookEvent, { kind: 'pull_request' }>> = {}): WebhookEvent {
  return {
    kind: 'pull_request',
    delivery: 'p',
    addresses: [`${URL}.git`],
    action: 'synchronize',
    number: 7,
    head: 'c'.repeat(40),
    base: 'told',
    ...more,
  };
}

it.each<[string, WebhookEvent, string[]]>([
  ['a push to one', pullRequest(), ['told']],
  ['a new one', pullRequest({ action: 'opened' }), ['told']],
  ['one into a branch without comments', pullRequest({ base: 'main' }), []],
  ['a label', pullRequest({ action: 'labeled' }), []],
  ['one of another repository', pullRequest({ addresses: ['https://github.com/evil/pipelines'] }), []],
])('plans a pull request: %s', (_, event, plan) => {
  expect(decideWebhook(event, COMPONENTS)).toMatchObject({ refresh: [], plan });
});

it('W7: while Git takes minutes a delivery is answered at once, and a restart in between loses nothing', async () => {
  const repository = createRepository();
  repository.push(pythonFolder('a'));
  const server = await startGitServer(path.dirname(repository.bare));
  const url = `${server.url}/remote.git`;
  const world = await componentWorld(url);
  await world.refresh();
  server.fault = { kind: 'hang' };
  const arrived = server.nextRequest();
  const hanging = world.refresh();
  await arrived;
  const head = repository.push(pythonFolder('b'));
  const deps = (now: ComponentWorld) => ({
    settings: { components: [componentSettings(now.home, url)] },
    components: now.service,
    store: now.store,
    log: createLogger('silent'),
  });
  const event = push({ addresses: [url], after: head });
  const before = performance.now();
  expect(await receiveWebhook(event, deps(world))).toMatchObject({ status: 202, outcome: 'refreshing' });
  expect(performance.now() - before).toBeLessThan(1000);
  expect(world.service.component('shop')?.refreshing).toBe(true);
  const again = await world.restart();
  await hanging;
  server.fault = { kind: 'none' };
  expect(await receiveWebhook(event, deps(again))).toMatchObject({ status: 200, outcome: 'seen' });
  expect(await again.service.requestRefresh('shop', { kind: 'startup' })).toMatchObject({ commit: head });
});

it('W7: the plan of a pull request is queued before the answer', async () => {
  const repository = createRepository();
  repository.push(pythonFolder('a'));
  const world = await componentWorld(repository.bare);
  const github = { statuses: false, prComments: true, apiUrl: 'https://api.github.com' };
  const settings = { components: [componentSettings(world.home, repository.bare, { github })] };
  const deps = { settings, components: world.service, store: world.store, log: createLogger('silent') };
  const event = pullRequest({ addresses: [repository.bare], base: 'main' });
  expect(await receiveWebhook(event, deps)).toMatchObject({ status: 202, outcome: 'planning' });
  expect(await receiveWebhook(event, deps)).toMatchObject({ status: 200, outcome: 'seen' });
  expect(await world.store.outbox.list(5)).toMatchObject([
    { topic: 'pull_request', key: 'shop#7', payload: { component: 'shop', number: 7, head: 'c'.repeat(40) } },
  ]);
});
