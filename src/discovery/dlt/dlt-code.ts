import type { PythonLiteral } from '../python/python-literal.ts';
import { docstringOf, literalOf, literalText } from '../python/python-literal.ts';
import type { PythonNode, PythonTree } from '../python/python-tree.ts';
import {
  argumentsOf,
  children,
  decoratorName,
  descendants,
  dottedName,
  sourceOf,
} from '../python/python-tree.ts';
import type { Position } from '../yaml/yaml-value.ts';

/** A resource as its code declares it, without running anything. */
export interface CodeResource {
  readonly name: string;
  readonly at: Position;
  readonly description?: string;
  readonly writeDisposition?: string;
  readonly primaryKey?: readonly string[];
  readonly cursorPath?: string;
  /** Resource that a transformer takes its data from. */
  readonly parent?: string;
  /** `kinds` and `meta` of `ConfigurableDltResource.config(…)`. */
  readonly kinds?: readonly string[];
  readonly meta?: Readonly<Record<string, PythonLiteral>>;
}

export interface CodePipeline {
  readonly at: Position;
  readonly name?: string;
  readonly destination?: string;
  readonly dataset?: string;
}

export interface DltCode {
  readonly resources: readonly CodeResource[];
  /** A name or a list of resources is computed: only running the code tells them all. */
  readonly dynamic: boolean;
  readonly pipelines: readonly CodePipeline[];
  /** Something happens when the file is run: `run()`, a main guard, a call at the top. */
  readonly runs: boolean;
  /** `config={"max_concurrent": …}` of a `define_asset_job`. */
  readonly maxConcurrent?: number;
}

/** Of a `definitions.py`: it configures resources for Dagster, however it comes by the name that does. */
export function configuresResources(text: string): boolean {
  return /\bConfigurableDltResource\b|\bdlt_assets\b/.test(text);
}

/** What one Python file of a dlt folder declares. */
export function readDltCode(tree: PythonTree): DltCode {
  const found = new Map<string, CodeResource>();
  const pipelines: CodePipeline[] = [];
  const insideConfig = new Set<number>();
  let dynamic = false;
  let maxConcurrent: number | undefined;
  const add = (resource: CodeResource | null): void => {
    if (resource === null) dynamic = true;
    else if (!found.has(resource.name)) found.set(resource.name, resource);
  };
  for (const node of descendants(tree.top)) {
    if (node.name === 'DecoratedStatement') {
      if (isDecoratedAssets(tree, node)) {
        // Its source is an object that only running the code makes.
        dynamic = true;
      }
      const resource = decoratedResource(tree, node);
      if (resource !== undefined) add(resource);
      continue;
    }
    if (node.name !== 'CallExpression') continue;
    const callee = node.firstChild === null ? null : dottedName(tree, node.firstChild);
    if (callee === null) continue;
    if (callee.endsWith('define_asset_job')) {
      const job = literalOf(tree, argumentsOf(tree, node).keywords.get('config'));
      const limit = isRecord(job) ? job['max_concurrent'] : undefined;
      if (typeof limit === 'number' && Number.isInteger(limit) && limit > 0)
        maxConcurrent = Math.max(maxConcurrent ?? 0, limit);
    } else if (
      callee.endsWith('ConfigurableDltResource.config') ||
      callee.endsWith('ConfigurableDltResource')
    ) {
      const call = configuredCall(tree, node);
      if (call !== null) insideConfig.add(call.from);
      add(call === null ? null : calledResource(tree, call, argumentsOf(tree, node).keywords));
      if (isInLoop(node)) dynamic = true;
    } else if (isCall(callee, 'resource')) {
      if (!insideConfig.has(node.from)) add(calledResource(tree, node, new Map()));
      if (isInLoop(node)) dynamic = true;
    } else if (callee === 'dlt.pipeline') pipelines.push(pipelineOf(tree, node));
    else if (/^dlt\.sources\.(?:rest_api|sql_database|filesystem)\b/.test(callee)) dynamic = true;
  }
  return {
    resources: [...found.values()],
    dynamic,
    pipelines,
    runs: runsSomething(tree),
    ...(maxConcurrent === undefined ? {} : { maxConcurrent }),
  };
}

/** `@dlt_assets(…)` of dagster-dlt. */
function isDecoratedAssets(tree: PythonTree, statement: PythonNode): boolean {
  return statement
    .getChildren('Decorator')
    .some((one) => /(?:^|\.)dlt_assets$/.test(decoratorName(tree, one)));
}

/** undefined: no resource; null: one whose name is computed. */
function decoratedResource(tree: PythonTree, statement: PythonNode): CodeResource | null | undefined {
  const definition = statement.getChild('FunctionDefinition');
  const decorator = statement
    .getChildren('Decorator')
    .find((one) => ['resource', 'transformer'].some((kind) => isCall(decoratorName(tree, one), kind)));
  if (definition === null || decorator === undefined) return undefined;
  const { positional, keywords } = argumentsOf(tree, decorator);
  const nameNode = keywords.get('name');
  const functionName = definition.getChild('VariableName');
  // Code in the middle of being written has no name yet.
  if (functionName === null) return undefined;
  const name = nameNode === undefined ? sourceOf(tree, functionName) : literalText(tree, nameNode);
  if (name === undefined) return null;
  const parentNode = keywords.get('data_from') ?? positional[0];
  const parent =
    isCall(decoratorName(tree, decorator), 'transformer') && parentNode?.name === 'VariableName'
      ? sourceOf(tree, parentNode)
      : undefined;
  const description = docstringOf(tree, definition);
  return {
    name,
    at: tree.position(definition.from),
    ...(description === undefined ? {} : { description }),
    ...(parent === undefined ? {} : { parent }),
    ...hints(tree, keywords),
    ...cursor(tree, definition.getChild('ParamList')),
  };
}

function calledResource(
  tree: PythonTree,
  call: PythonNode,
  config: ReadonlyMap<string, PythonNode>,
): CodeResource | null {
  const { positional, keywords } = argumentsOf(tree, call);
  const nameNode = keywords.get('name') ?? positional[1];
  const first = positional[0];
  const name =
    nameNode === undefined && first?.name === 'VariableName'
      ? sourceOf(tree, first)
      : literalText(tree, nameNode);
  if (name === undefined) return null;
  const kinds = literalOf(tree, config.get('kinds'));
  const meta = literalOf(tree, config.get('meta'));
  return {
    name,
    at: tree.position(call.from),
    ...hints(tree, keywords),
    ...cursor(tree, call.getChild('ArgList')),
    ...(Array.isArray(kinds) ? { kinds: kinds.filter((kind) => typeof kind === 'string') } : {}),
    ...(isRecord(meta) ? { meta } : {}),
  };
}

function configuredCall(tree: PythonTree, node: PythonNode): PythonNode | null {
  const { positional, keywords } = argumentsOf(tree, node);
  const inner = positional[0] ?? keywords.get('resource');
  if (inner?.name !== 'CallExpression' || inner.firstChild === null) return null;
  return isCall(dottedName(tree, inner.firstChild) ?? '', 'resource') ? inner : null;
}

function hints(
  tree: PythonTree,
  keywords: ReadonlyMap<string, PythonNode>,
): Pick<CodeResource, 'writeDisposition' | 'primaryKey'> {
  const disposition = literalOf(tree, keywords.get('write_disposition'));
  const written = isRecord(disposition) ? disposition['disposition'] : disposition;
  const key = literalOf(tree, keywords.get('primary_key'));
  const keys =
    typeof key === 'string' ? [key] : Array.isArray(key) ? key.filter((one) => typeof one === 'string') : [];
  return {
    ...(typeof written === 'string' ? { writeDisposition: written } : {}),
    ...(keys.length === 0 ? {} : { primaryKey: keys }),
  };
}

/** `dlt.sources.incremental("updated_at", …)` as a default or an argument. */
function cursor(tree: PythonTree, within: PythonNode | null): Pick<CodeResource, 'cursorPath'> {
  if (within === null) return {};
  for (const node of descendants(within)) {
    if (node.name !== 'CallExpression' || node.firstChild === null) continue;
    const callee = dottedName(tree, node.firstChild);
    if (callee === null || !/^dlt\.(?:sources\.)?(?:incremental|Incremental)$/.test(callee)) continue;
    const { positional, keywords } = argumentsOf(tree, node);
    const path = literalText(tree, keywords.get('cursor_path') ?? positional[0]);
    if (path !== undefined) return { cursorPath: path };
  }
  return {};
}

function pipelineOf(tree: PythonTree, call: PythonNode): CodePipeline {
  const { positional, keywords } = argumentsOf(tree, call);
  const name = literalText(tree, keywords.get('pipeline_name') ?? positional[0]);
  const destination = destinationOf(tree, keywords.get('destination'));
  const dataset = literalText(tree, keywords.get('dataset_name'));
  return {
    at: tree.position(call.from),
    ...(name === undefined ? {} : { name }),
    ...(destination === undefined ? {} : { destination }),
    ...(dataset === undefined ? {} : { dataset }),
  };
}

/** `duckdb` of `"duckdb"`, of `dlt.destinations.duckdb` and of a call of it. */
function destinationOf(tree: PythonTree, node: PythonNode | undefined): string | undefined {
  if (node === undefined) return undefined;
  const callee = node.name === 'CallExpression' ? node.firstChild : node;
  const name = callee === null ? null : dottedName(tree, callee);
  return /^dlt\.destinations\.(\w+)$/.exec(name ?? '')?.[1] ?? literalText(tree, node);
}

function runsSomething(tree: PythonTree): boolean {
  return children(tree.top).some((node) => {
    if (node.name === 'FunctionDefinition')
      return sourceOf(tree, node.getChild('VariableName') ?? node) === 'run';
    if (
      ['IfStatement', 'ForStatement', 'WithStatement', 'TryStatement', 'WhileStatement'].includes(node.name)
    )
      return true;
    if (node.name === 'ExpressionStatement') return node.firstChild?.name === 'CallExpression';
    // `load_info = pipeline.run(source())` at the top.
    return node.name === 'AssignStatement' && /\brun\s*\(/.test(sourceOf(tree, node));
  });
}

function isInLoop(node: PythonNode): boolean {
  for (let at = node.parent; at !== null; at = at.parent) {
    if (/^(?:For|While)Statement$|Comprehension/.test(at.name)) return true;
    if (at.name === 'FunctionDefinition') return true;
  }
  return false;
}

function isCall(name: string, kind: string): boolean {
  return (
    name === `dlt.${kind}` || name === `dlt.sources.${kind}` || name === `dlt.extract.decorators.${kind}`
  );
}

function isRecord(value: PythonLiteral | undefined): value is Readonly<Record<string, PythonLiteral>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
