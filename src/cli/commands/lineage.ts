import type { Lineage } from '../../server/contract/asset.ts';
import { withClient } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { printJson } from '../output.ts';
import { painter, printable, statusPaint, statusText } from '../render.ts';

export function lineage(context: CliContext, selection: string | undefined): Promise<number> {
  return withClient(context, async (client) => {
    const graph = await client.get<Lineage>('/lineage', { selection });
    if (context.json) printJson(context, graph);
    else context.out(lineageTree(graph, context.color));
    return 0;
  });
}

/** Every root with what it feeds, indented; a node that was drawn before is named again and not unfolded. */
function lineageTree(graph: Lineage, color: boolean): string {
  const paint = painter(color);
  const children = new Map<string, string[]>();
  const hasParent = new Set<string>();
  for (const { from, to } of graph.edges) {
    children.set(from, [...(children.get(from) ?? []), to]);
    hasParent.add(to);
  }
  const byKey = new Map(graph.nodes.map((node) => [node.key, node]));
  const drawn = new Set<string>();
  const lines: string[] = [];
  const stack: Branch[] = graph.nodes
    .filter((node) => !hasParent.has(node.key))
    .map((node) => ({ key: node.key, lead: '', under: '' }))
    .toReversed();
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { key, lead, under } = top;
    const node = byKey.get(key);
    const own = (children.get(key) ?? []).toSorted();
    const again = drawn.has(key) && own.length > 0;
    const word = node?.kind === 'external' ? 'external' : (node?.state ?? '');
    const state = paint(statusPaint(word) ?? 'dim', statusText(word));
    lines.push(`${lead}${printable(key)}  ${state}${again ? ' (above)' : ''}`);
    if (again) continue;
    drawn.add(key);
    const branches = own.map((child, index) =>
      index === own.length - 1
        ? { key: child, lead: `${under}└─ `, under: `${under}   ` }
        : { key: child, lead: `${under}├─ `, under: `${under}│  ` },
    );
    stack.push(...branches.toReversed());
  }
  return lines.join('\n');
}

interface Branch {
  readonly key: string;
  /** What stands before it, and before what it feeds. */
  readonly lead: string;
  readonly under: string;
}
