import type { AssetSummary } from '../../../../src/server/contract/asset.ts';
import { setQuery } from '../../router.ts';
import { shownState } from '../../state/assets.ts';
import { type AssetFilter, matchesState } from './filter.ts';

const STATES = [
  ['failed', 'Failed'],
  ['active', 'Active'],
  ['partly', 'Partly'],
  ['materialized', 'Materialized'],
  ['never', 'Never run'],
  ['held', 'Held'],
] as const;

/** States with how many assets are in them; groups and tools. All of it lives in the address. */
export function Filters({ all, filter }: { all: readonly AssetSummary[]; filter: AssetFilter }) {
  const groups = distinct(all.map(({ group }) => group));
  const tools = distinct(all.flatMap(({ tool }) => (tool === null ? [] : [tool])));
  return (
    <>
      <div class="chips" role="group" aria-label="State">
        {STATES.map(([state, text]) => {
          const number = all.filter((asset) => matchesState(asset, state, shownState)).length;
          if (number === 0 && filter.state !== state) return null;
          return (
            <button
              key={state}
              type="button"
              class="chip-button"
              aria-pressed={filter.state === state}
              onClick={() => setQuery({ status: filter.state === state ? '' : state })}
            >
              {text} <span class="count">{number}</span>
            </button>
          );
        })}
      </div>
      <Choose label="Group" value={filter.group} values={groups} onChoose={(group) => setQuery({ group })} />
      <Choose label="Tool" value={filter.tool} values={tools} onChoose={(tool) => setQuery({ tool })} />
    </>
  );
}

function Choose({
  label,
  value,
  values,
  onChoose,
}: {
  label: string;
  value: string;
  values: readonly string[];
  onChoose: (value: string) => void;
}) {
  if (values.length < 2 && value === '') return null;
  return (
    <label class="select">
      <span class="sr-only">{label}</span>
      <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">Any {label.toLowerCase()}</option>
        {values.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
