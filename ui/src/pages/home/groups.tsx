import type { AssetSummary } from '../../../../src/server/contract/asset.ts';
import { Load } from '../../components/load.tsx';
import { Section } from '../../components/page.tsx';
import { assetShown, type Tone } from '../../lib/status.ts';
import { assets, shownState } from '../../state/assets.ts';

const ORDER: readonly Tone[] = ['bad', 'run', 'wait', 'warn', 'ok', 'idle'];

/** The states of each group's assets, a square an asset. */
export function Groups() {
  return (
    <Section title="Groups" aside={<a href="/assets">All assets</a>}>
      <Load from={assets} what="Assets">
        {(all) => (
          <ul class="groups card">
            {[...grouped(all)].map(([group, members]) => (
              <li key={group}>
                <a class="group-name" href={`/assets?group=${encodeURIComponent(group)}`}>
                  <bdi>{group}</bdi>
                </a>
                <Squares members={members} />
              </li>
            ))}
          </ul>
        )}
      </Load>
    </Section>
  );
}

function Squares({ members }: { members: readonly AssetSummary[] }) {
  const shown = members.map((asset) => assetShown(shownState(asset)));
  const tones = shown.map(({ tone }) => tone).sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  const words = [...new Set(shown.map(({ text }) => text))].map(
    (text) => `${shown.filter((one) => one.text === text).length} ${text.toLowerCase()}`,
  );
  return (
    <span class="squares" role="img" aria-label={words.join(', ')} title={words.join(', ')}>
      {tones.slice(0, 24).map((tone, index) => (
        <i key={index} class={`square tone-${tone}`} />
      ))}
    </span>
  );
}

function grouped(all: readonly AssetSummary[]): Map<string, AssetSummary[]> {
  const groups = new Map<string, AssetSummary[]>();
  for (const asset of all) {
    if (asset.kind === 'external') continue;
    const members = groups.get(asset.group);
    if (members === undefined) groups.set(asset.group, [asset]);
    else members.push(asset);
  }
  return new Map([...groups].sort(([a], [b]) => a.localeCompare(b)));
}
