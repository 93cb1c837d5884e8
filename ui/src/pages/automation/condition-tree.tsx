import { useState } from 'preact/hooks';
import type { ConditionNode } from '../../../../src/server/contract/automation.ts';
import { count } from '../../lib/format.ts';

/** What is deeper than this is closed at first. */
const OPEN_DEPTH = 3;
const SHOWN_SPANS = 3;

/** A condition with what each part was asked of and true of. Parts open and close. */
export function ConditionTree({ nodes, own }: { nodes: readonly ConditionNode[]; own: string }) {
  const [closed, setClosed] = useState<ReadonlySet<number>>(
    () => new Set(nodes.flatMap((node, at) => (node.depth >= OPEN_DEPTH && hasParts(nodes, at) ? [at] : []))),
  );
  const toggle = (at: number): void => {
    const next = new Set(closed);
    if (!next.delete(at)) next.add(at);
    setClosed(next);
  };
  return (
    <ul class="condition-tree" aria-label="Parts of the condition">
      {visible(nodes, closed).map((at) => {
        const node = nodes[at]!;
        return (
          <li key={at} class={`condition-node ${toneOf(node)}`} style={{ '--depth': `${node.depth}` }}>
            <Mark node={node} />
            <div class="condition-text">
              {hasParts(nodes, at) ? (
                <button
                  type="button"
                  class="link"
                  aria-expanded={!closed.has(at)}
                  title={node.condition}
                  onClick={() => toggle(at)}
                >
                  {node.title}
                  {closed.has(at) && ' …'}
                </button>
              ) : (
                <span title={node.condition}>{node.title}</span>
              )}
              {node.entity !== own && (
                <span class="chip">
                  <bdi>{node.entity}</bdi>
                </span>
              )}
              <Counts node={node} />
            </div>
          </li>
        );
      })}
    </ul>
  );
}

function Mark({ node }: { node: ConditionNode }) {
  const [sign, text] =
    node.candidates === 0 ? ['·', 'not asked'] : node.matched > 0 ? ['✓', 'true'] : ['✗', 'not true'];
  return (
    <span class="condition-mark" role="img" aria-label={text}>
      {sign}
    </span>
  );
}

function Counts({ node }: { node: ConditionNode }) {
  const { candidates, matched, partitioned, spans } = node;
  if (candidates === 0) return <span class="faint">not asked: nothing was left</span>;
  if (!partitioned) return null;
  const shown = spans
    .slice(0, SHOWN_SPANS)
    .map(({ start, end }) => (start === end ? start : `${start} … ${end}`));
  return (
    <span class="faint">
      <span class="num">
        {count(matched)} of {count(candidates)}
      </span>
      {shown.length > 0 && (
        <>
          {' · '}
          <bdi class="num">{shown.join(', ')}</bdi>
          {spans.length > SHOWN_SPANS && ', …'}
        </>
      )}
    </span>
  );
}

function toneOf({ candidates, matched }: ConditionNode): string {
  return candidates > 0 && matched > 0 ? 'tone-ok' : 'tone-idle';
}

function hasParts(nodes: readonly ConditionNode[], at: number): boolean {
  const next = nodes[at + 1];
  return next !== undefined && next.depth > nodes[at]!.depth;
}

/** Positions of the nodes that lie in no closed one. */
function visible(nodes: readonly ConditionNode[], closed: ReadonlySet<number>): number[] {
  const found: number[] = [];
  let hiddenBelow = Number.POSITIVE_INFINITY;
  for (const [at, { depth }] of nodes.entries()) {
    if (depth > hiddenBelow) continue;
    hiddenBelow = closed.has(at) ? depth : Number.POSITIVE_INFINITY;
    found.push(at);
  }
  return found;
}
