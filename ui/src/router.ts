import { computed, signal } from '@preact/signals';

export type PageName =
  | 'home'
  | 'timeline'
  | 'assets'
  | 'asset'
  | 'lineage'
  | 'runs'
  | 'run'
  | 'backfills'
  | 'backfill'
  | 'automation'
  | 'alerts'
  | 'insights'
  | 'audit'
  | 'git'
  | 'pipeline'
  | 'plan'
  | 'problems'
  | 'system'
  | 'not-found';

export interface Route {
  readonly page: PageName;
  /** The asset key, run id or backfill id of the address. */
  readonly id: string;
}

const LISTS: Readonly<Record<string, PageName>> = {
  '': 'home',
  timeline: 'timeline',
  assets: 'assets',
  lineage: 'lineage',
  runs: 'runs',
  backfills: 'backfills',
  automation: 'automation',
  alerts: 'alerts',
  insights: 'insights',
  audit: 'audit',
  git: 'git',
  problems: 'problems',
  system: 'system',
};
/** Addresses that Dagster's users have in their fingers. */
const MOVED: Readonly<Record<string, string>> = {
  'asset-groups': '/lineage',
  catalog: '/assets',
  overview: '/',
  locations: '/git',
  deployment: '/git',
  jobs: '/automation',
};

const url = signal(canonical(new URL(location.href)));

export const route = computed<Route>(() => parse(url.value.pathname));

/** Two revisions of the address `/git/compare/a...b` are compared by their plan. */
function canonical(address: URL): URL {
  const [, from = '', to = ''] = /^\/git\/compare\/([^/.]+)\.\.\.([^/.]+)$/.exec(address.pathname) ?? [];
  if (from === '') return address;
  const plan = new URL('/git/plan', address);
  plan.search = String(new URLSearchParams({ from: decode(from), to: decode(to) }));
  return plan;
}

function parse(pathname: string): Route {
  const [, first = '', second = '', ...rest] = pathname.split('/');
  if (rest.length === 0 && second !== '') {
    if (first === 'assets') return { page: 'asset', id: decode(second) };
    if (first === 'runs') return { page: 'run', id: decode(second) };
    if (first === 'backfills') return { page: 'backfill', id: decode(second) };
    if (first === 'pipelines') return { page: 'pipeline', id: decode(second) };
    if (first === 'git')
      return second === 'plan' ? { page: 'plan', id: '' } : { page: 'git', id: decode(second) };
  }
  const list = second === '' && Object.hasOwn(LISTS, first) ? LISTS[first] : undefined;
  return { page: list ?? 'not-found', id: '' };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A value of the address's query; '' if it is not there. */
export function query(name: string): string {
  return url.value.searchParams.get(name) ?? '';
}

/** Changes values of the query in place; '' removes one. Filters and tabs make no history. */
export function setQuery(values: Readonly<Record<string, string>>): void {
  const next = new URL(url.peek());
  for (const [name, value] of Object.entries(values)) {
    if (value === '') next.searchParams.delete(name);
    else next.searchParams.set(name, value);
  }
  history.replaceState(history.state, '', next);
  url.value = next;
}

export function navigate(to: string, replace = false): void {
  const next = canonical(new URL(to, location.href));
  if (replace) history.replaceState(null, '', next);
  else history.pushState(null, '', next);
  const moved = next.pathname !== url.peek().pathname;
  url.value = next;
  if (moved) {
    window.scrollTo(0, 0);
    // What a load of a new page would do for a reader of the screen and for the keyboard.
    requestAnimationFrame(() => document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true }));
  }
}

export function assetHref(key: string): string {
  return `/assets/${encodeURIComponent(key)}`;
}

export function runHref(runId: string): string {
  return `/runs/${encodeURIComponent(runId)}`;
}

export function backfillHref(backfillId: string): string {
  return `/backfills/${encodeURIComponent(backfillId)}`;
}

/** A revision that became live, opened. */
export function gitHref(component: string, revisionId: number): string {
  return `/git?rev=${encodeURIComponent(`${component}:${revisionId}`)}`;
}

/** The state of a dlt pipeline. */
export function pipelineHref(component: string, pipeline: string): string {
  return `/pipelines/${encodeURIComponent(`${component}/${pipeline}`)}`;
}

/** Lets plain links to our own pages change the page without a load. */
export function startRouter(): void {
  const first = location.pathname.split('/')[1] ?? '';
  if (Object.hasOwn(MOVED, first)) navigate(MOVED[first] ?? '/', true);
  else if (url.peek().href !== location.href) history.replaceState(history.state, '', url.peek());
  window.addEventListener('popstate', () => {
    url.value = new URL(location.href);
  });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (
      link === null ||
      link.target !== '' ||
      link.origin !== location.origin ||
      link.hasAttribute('download')
    )
      return;
    if (link.pathname.startsWith('/api/') || link.pathname === '/login') return;
    event.preventDefault();
    if (link.hash !== '' && link.pathname === location.pathname) {
      document.querySelector<HTMLElement>(link.hash)?.focus();
      return;
    }
    navigate(link.href);
  });
}
