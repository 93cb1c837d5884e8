/** What a selection can ask about a node without dbt. */
export interface SelectableNode {
  readonly name: string;
  readonly path: string;
  readonly fqn: readonly string[];
  readonly tags: ReadonlySet<string>;
}

/**
 * dbt's selection language as far as it needs no graph: union by spaces, intersection by commas, `tag:`, `path:`, `fqn:`,
 * names and `*`. Anything else matches nothing until `dbt parse` has read it.
 */
export function matchesSelection(
  select: string | undefined,
  exclude: string | undefined,
  node: SelectableNode,
): boolean {
  if (select !== undefined && !matchesUnion(select, node)) return false;
  return exclude === undefined || !matchesUnion(exclude, node);
}

function matchesUnion(selection: string, node: SelectableNode): boolean {
  return selection
    .split(/\s+/)
    .filter((part) => part !== '')
    .some((part) => part.split(',').every((criterion) => matchesOne(criterion, node)));
}

function matchesOne(criterion: string, node: SelectableNode): boolean {
  if (criterion === '*') return true;
  const [, method = 'fqn', value = criterion] = /^(\w+):(.*)$/.exec(criterion) ?? [];
  if (method === 'tag') return node.tags.has(value);
  if (method === 'path') {
    const path = value.replace(/^\.\/|\/$/g, '');
    return node.path === path || node.path.startsWith(`${path}/`);
  }
  if (method !== 'fqn') return false;
  return node.name === value || node.fqn.includes(value) || node.fqn.join('.') === value;
}
