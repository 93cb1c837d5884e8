import { distance } from 'fastest-levenshtein';
import type { AssetGraph, AssetKey, AssetNode } from './definitions.ts';

export type SelectionResult =
  | { readonly ok: true; readonly keys: readonly AssetKey[] }
  | {
      readonly ok: false;
      readonly code: 'SELECTION_INVALID' | 'SELECTION_EMPTY';
      readonly message: string;
      readonly hint?: string;
    };

const LOOK = 'elt list shows every asset, elt status what is broken';

type Expression =
  | { readonly kind: 'all' }
  | { readonly kind: 'filter'; readonly attribute: string; readonly value: string; readonly text: string }
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'traverse'; readonly up: number; readonly down: number; readonly of: Expression }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly of: Expression };

const ATTRIBUTES = ['key', 'group', 'tag', 'owner', 'kind', 'pipeline', 'tool', 'job'] as const;

class SelectionError extends Error {
  readonly hint: string | undefined;
  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/**
 * Evaluates a selection over the graph: an asset key (`dlt_orders`; `dlt_orders/*` and `key:a*` with wildcards), `group:x`,
 * `tag:k=v` or `tag:k`, `owner:`, `kind:`, `pipeline:`, `tool:`, `*`; `+a` with everything upstream, `a+` downstream,
 * `1+a` one step; `and`, `or` (also a comma), `not`, parentheses. Follows Dagster's asset selection syntax.
 * External assets are never selected. Keys come in dependency order.
 */
export function selectAssets(graph: AssetGraph, text: string): SelectionResult {
  let expression: Expression;
  try {
    expression = parse(text);
  } catch (error) {
    if (!(error instanceof SelectionError)) throw error;
    return { ok: false, code: 'SELECTION_INVALID', message: error.message, ...hinted(error.hint) };
  }
  const selected = evaluate(expression, graph);
  const keys = graph.order.filter(
    (key) => selected.has(key) && graph.nodes.get(key)!.kind === 'materializable',
  );
  if (keys.length > 0) return { ok: true, keys };
  return {
    ok: false,
    code: 'SELECTION_EMPTY',
    message: `no asset matches "${text}"`,
    hint: suggest(expression, graph) ?? LOOK,
  };
}

/**
 * A selection of what is to be run: as `selectAssets`, but a plain name in it that names nothing is refused, whatever else
 * matches. Who launches `orders or customres` must not learn a week later that the second never ran.
 */
export function selectToRun(graph: AssetGraph, text: string): SelectionResult {
  const selected = selectAssets(graph, text);
  if (!selected.ok) return selected;
  const unknown = names(parse(text)).find((key) => byKey(graph, key).size === 0);
  if (unknown === undefined) return selected;
  const expression: Expression = { kind: 'key', key: unknown };
  return {
    ok: false,
    code: 'SELECTION_EMPTY',
    message: `no asset is called "${unknown}"`,
    hint: suggest(expression, graph) ?? LOOK,
  };
}

/** Plain names of an expression that are to be run; what stands behind `not` is not. */
function names(expression: Expression): string[] {
  switch (expression.kind) {
    case 'key':
      return [expression.key];
    case 'and':
    case 'or':
      return [...names(expression.left), ...names(expression.right)];
    case 'traverse':
      return names(expression.of);
    default:
      return [];
  }
}

/** Nearest keys to a misspelt one, at most three, nearest first. */
export function nearestKeys(graph: AssetGraph, key: string): string[] {
  return nearest(graph.nodes.keys(), key);
}

/** Everything that a plain name in a selection can be: a key, what stands before its first slash, a pipeline. */
function plainNames(graph: AssetGraph): ReadonlySet<string> {
  const known = new Set<string>();
  for (const { key, pipeline } of graph.nodes.values()) {
    known.add(key).add(key.split('/', 1)[0]!);
    if (pipeline !== '') known.add(pipeline);
  }
  return known;
}

function nearest(candidates: Iterable<string>, key: string): string[] {
  const scored: { key: string; score: number }[] = [];
  for (const candidate of candidates) {
    const score = candidate.includes(key) ? 1 : distance(candidate, key);
    if (score <= Math.max(2, key.length / 3)) scored.push({ key: candidate, score });
  }
  return scored
    .sort((a, b) => a.score - b.score || (a.key < b.key ? -1 : 1))
    .slice(0, 3)
    .map((entry) => entry.key);
}

function suggest(expression: Expression, graph: AssetGraph): string | undefined {
  if (expression.kind === 'traverse' || expression.kind === 'not') return suggest(expression.of, graph);
  if (expression.kind === 'and' || expression.kind === 'or') {
    return suggest(expression.left, graph) ?? suggest(expression.right, graph);
  }
  if (expression.kind !== 'key') return undefined;
  const near = nearest(plainNames(graph), expression.key);
  return near.length === 0 || near.includes(expression.key) ? undefined : `did you mean ${near.join(', ')}?`;
}

function hinted(hint: string | undefined): { hint?: string } {
  return hint === undefined ? {} : { hint };
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const pattern = /\s+|([(),])|"([^"]*)"|([^\s(),"]+(?:"[^"]*")?)/gy;
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    end = match.index + match[0].length;
    if (match[1] !== undefined) tokens.push(match[1]);
    else if (match[2] !== undefined) tokens.push(match[2]);
    else if (match[3] !== undefined) tokens.push(match[3].replaceAll('"', ''));
  }
  if (end < text.length) throw new SelectionError(`cannot read "${text.slice(end)}" at column ${end + 1}`);
  return tokens;
}

function parse(text: string): Expression {
  const tokens = tokenize(text);
  if (tokens.length === 0) throw new SelectionError('the selection is empty', 'use "*" for every asset');
  let at = 0;
  const expression = parseOr();
  if (at < tokens.length) throw new SelectionError(`unexpected "${tokens[at]}"`);
  return expression;

  function parseOr(): Expression {
    let left = parseAnd();
    while (tokens[at] === ',' || tokens[at]?.toLowerCase() === 'or') {
      at += 1;
      left = { kind: 'or', left, right: parseAnd() };
    }
    return left;
  }
  function parseAnd(): Expression {
    let left = parseNot();
    while (tokens[at]?.toLowerCase() === 'and') {
      at += 1;
      left = { kind: 'and', left, right: parseNot() };
    }
    return left;
  }
  function parseNot(): Expression {
    if (tokens[at]?.toLowerCase() !== 'not') return parseTerm();
    at += 1;
    return { kind: 'not', of: parseNot() };
  }
  function parseTerm(): Expression {
    const token = tokens[at];
    if (token === undefined) throw new SelectionError('the selection ends too early');
    at += 1;
    if (token === '(') {
      const inner = parseOr();
      if (tokens[at] !== ')') throw new SelectionError('a parenthesis is not closed');
      at += 1;
      return inner;
    }
    if (token === ')' || token === ',') throw new SelectionError(`unexpected "${token}"`);
    return parseTraversal(token);
  }
}

function parseTraversal(token: string): Expression {
  const match = /^(?:(\d*)\+)?(.+?)(?:\+(\d*))?$/s.exec(token);
  if (match === null) throw new SelectionError(`cannot read "${token}"`);
  const [, up, core, down] = match;
  const of = parseAtom(core!);
  if (up === undefined && down === undefined) return of;
  return { kind: 'traverse', up: steps(up), down: steps(down), of };
}

function steps(text: string | undefined): number {
  if (text === undefined) return 0;
  return text === '' ? Number.POSITIVE_INFINITY : Number(text);
}

function parseAtom(text: string): Expression {
  if (text === '*') return { kind: 'all' };
  const colon = text.indexOf(':');
  if (colon === -1) return { kind: 'key', key: text };
  const attribute = text.slice(0, colon);
  const value = text.slice(colon + 1);
  if (!(ATTRIBUTES as readonly string[]).includes(attribute)) {
    const near = ATTRIBUTES.find((known) => distance(known, attribute) <= 2);
    throw new SelectionError(
      `"${attribute}:" is not an attribute`,
      near === undefined ? `use one of ${ATTRIBUTES.join(', ')}` : `did you mean "${near}:"?`,
    );
  }
  if (value === '') throw new SelectionError(`"${text}" names no value`);
  return { kind: 'filter', attribute, value, text };
}

function evaluate(expression: Expression, graph: AssetGraph): ReadonlySet<AssetKey> {
  switch (expression.kind) {
    case 'all':
      return new Set(graph.nodes.keys());
    case 'key':
      return byKey(graph, expression.key);
    case 'filter':
      return where(graph, filter(expression.attribute, expression.value));
    case 'and':
      return evaluate(expression.left, graph).intersection(evaluate(expression.right, graph));
    case 'or':
      return evaluate(expression.left, graph).union(evaluate(expression.right, graph));
    case 'not':
      return new Set(graph.nodes.keys()).difference(evaluate(expression.of, graph));
    case 'traverse': {
      const base = evaluate(expression.of, graph);
      const up = walk(base, expression.up, (key) => graph.nodes.get(key)!.deps.map((dep) => dep.key));
      const down = walk(base, expression.down, (key) => graph.downstream.get(key) ?? []);
      return up.union(down);
    }
  }
}

/** A key; else the assets below it (`dlt_catalog` → `dlt_catalog/products`, …); else a pipeline's name. */
function byKey(graph: AssetGraph, key: string): ReadonlySet<AssetKey> {
  if (graph.nodes.has(key)) return new Set([key]);
  if (key.includes('*'))
    return where(
      graph,
      matcher(key, (node) => [node.key]),
    );
  const below = where(graph, (node) => node.key.startsWith(`${key}/`));
  return below.size > 0 ? below : where(graph, (node) => node.pipeline === key);
}

function walk(
  from: ReadonlySet<AssetKey>,
  limit: number,
  next: (key: AssetKey) => readonly AssetKey[],
): Set<AssetKey> {
  const seen = new Set(from);
  let frontier = [...from];
  for (let step = 0; step < limit && frontier.length > 0; step += 1) {
    const found: AssetKey[] = [];
    for (const key of frontier) {
      for (const neighbour of next(key)) {
        if (seen.has(neighbour)) continue;
        seen.add(neighbour);
        found.push(neighbour);
      }
    }
    frontier = found;
  }
  return seen;
}

function where(graph: AssetGraph, test: (node: AssetNode) => boolean): Set<AssetKey> {
  const keys = new Set<AssetKey>();
  for (const node of graph.nodes.values()) if (test(node)) keys.add(node.key);
  return keys;
}

function filter(attribute: string, value: string): (node: AssetNode) => boolean {
  switch (attribute) {
    case 'key':
      return matcher(value, (node) => [node.key]);
    case 'group':
      return matcher(value, (node) => [node.group]);
    case 'owner':
      return matcher(value, (node) => node.owners);
    case 'kind':
      return matcher(value, (node) => node.kinds);
    case 'tool':
      return matcher(value, (node) => (node.tool === null ? [] : [node.tool]));
    case 'pipeline':
      return matcher(value, (node) => [node.pipeline]);
    case 'job':
      return matcher(value, (node) => [`${node.pipeline}_job`, `group_${node.group}_job`, 'all_assets_job']);
    default: {
      const equals = value.indexOf('=');
      if (equals === -1) return (node) => Object.hasOwn(node.tags, value);
      const name = value.slice(0, equals);
      return matcher(value.slice(equals + 1), (node) =>
        Object.hasOwn(node.tags, name) ? [node.tags[name]!] : [],
      );
    }
  }
}

/** `*` stands for any characters. */
function matcher(
  pattern: string,
  values: (node: AssetNode) => readonly string[],
): (node: AssetNode) => boolean {
  if (!pattern.includes('*')) return (node) => values(node).includes(pattern);
  const expression = new RegExp(`^${pattern.split('*').map(escapeText).join('.*')}$`, 's');
  return (node) => values(node).some((value) => expression.test(value));
}

function escapeText(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
