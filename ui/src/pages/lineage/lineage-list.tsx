import type { Lineage } from '../../../../src/server/contract/asset.ts';
import { AssetLink } from '../../components/links.tsx';
import { Status } from '../../components/status.tsx';
import { assetShown } from '../../lib/status.ts';
import { shownState } from '../../state/assets.ts';

/** The graph in words: each asset with what it depends on and what uses it. */
export function LineageList({ lineage }: { lineage: Lineage }) {
  const up = Map.groupBy(lineage.edges, ({ to }) => to);
  const down = Map.groupBy(lineage.edges, ({ from }) => from);
  const groups = [...Map.groupBy(lineage.nodes, ({ group }) => group)].sort(([a], [b]) => a.localeCompare(b));
  return (
    <div class="table-frame">
      <table class="table cards lineage-table">
        <caption class="sr-only">Assets with what they depend on and what uses them</caption>
        <thead>
          <tr>
            <th scope="col">Asset</th>
            <th scope="col">State</th>
            <th scope="col">Depends on</th>
            <th scope="col">Used by</th>
          </tr>
        </thead>
        {groups.map(([group, nodes]) => (
          <tbody key={group}>
            <tr class="group-line">
              <th scope="rowgroup" colSpan={4}>
                <bdi>{group}</bdi> <span class="count">{nodes.length}</span>
              </th>
            </tr>
            {nodes.map((node) => (
              <tr key={node.key} data-row>
                <th scope="row">
                  <AssetLink assetKey={node.key} />
                </th>
                <td data-label="State">
                  <Status
                    shown={
                      node.kind === 'external'
                        ? { tone: 'idle', text: 'External' }
                        : assetShown(shownState(node))
                    }
                  />
                </td>
                <td data-label="Depends on">
                  <Keys keys={(up.get(node.key) ?? []).map(({ from }) => from)} />
                </td>
                <td data-label="Used by">
                  <Keys keys={(down.get(node.key) ?? []).map(({ to }) => to)} />
                </td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function Keys({ keys }: { keys: readonly string[] }) {
  if (keys.length === 0) return <span class="faint">–</span>;
  return (
    <ul class="key-list">
      {keys.map((key) => (
        <li key={key}>
          <AssetLink assetKey={key} />
        </li>
      ))}
    </ul>
  );
}
