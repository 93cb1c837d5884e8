import { useState } from 'preact/hooks';
import type { Lineage } from '../../../../src/server/contract/asset.ts';
import { Glyph } from '../../components/status.tsx';
import { assetShown } from '../../lib/status.ts';
import { shownState } from '../../state/assets.ts';

/** Every group with its assets, to be jumped to; only open groups are in the document. */
export function JumpTree({
  lineage,
  selected,
  onJump,
}: {
  lineage: Lineage;
  selected: string;
  onJump: (key: string) => void;
}) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const groups = [...Map.groupBy(lineage.nodes, ({ group }) => group)].sort(([a], [b]) => (a < b ? -1 : 1));
  return (
    <nav class="jump-tree" aria-label="Assets by group">
      {groups.map(([group, nodes]) => {
        const isOpen = open.has(group);
        return (
          <section key={group}>
            <button
              type="button"
              class="jump-group"
              aria-expanded={isOpen}
              onClick={() =>
                setOpen(new Set(isOpen ? [...open].filter((one) => one !== group) : [...open, group]))
              }
            >
              <bdi class="clip">{group}</bdi>
              <span class="count">{nodes.length}</span>
            </button>
            {isOpen && (
              <ul>
                {nodes.map((node) => (
                  <li key={node.key}>
                    <button
                      type="button"
                      class="jump-asset"
                      aria-current={node.key === selected ? 'true' : undefined}
                      title={node.key}
                      onClick={() => onJump(node.key)}
                    >
                      <Glyph tone={node.kind === 'external' ? 'idle' : assetShown(shownState(node)).tone} />
                      <bdi class="clip">{node.key}</bdi>
                    </button>
                  </li>
                ))}
              </ul>
            )}
          </section>
        );
      })}
    </nav>
  );
}
