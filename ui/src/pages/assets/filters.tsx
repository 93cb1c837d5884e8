import { useMemo } from 'preact/hooks';
import type { AssetSummary } from '../../../../src/server/contract/asset.ts';
import { setQuery } from '../../router.ts';
import { shownState } from '../../state/assets.ts';
import { type AssetFilter, kindsOf, matchesState, tagsOf } from './filter.ts';

const STATES = [
  ['failed', 'Failed'],
  ['active', 'Active'],
  ['partly', 'Partly'],
  ['materialized', 'Materialized'],
  ['never', 'Never run'],
  ['held', 'Held'],
] as const;
/** A list of more is none to choose from: it is typed into the filter. */
const MOST_CHOICES = 300;

/** States with how many assets are in them; groups, kinds, owners, tags. All of it lives in the address. */
export function Filters({
  all,
  states,
  filter,
}: {
  all: readonly AssetSummary[];
  /** Changes when a state does. */
  states: string;
  filter: AssetFilter;
}) {
  const counts = useMemo(
    () => STATES.map(([state]) => all.filter((asset) => matchesState(asset, state, shownState)).length),
    [all, states],
  );
  const choices = useMemo(
    () => ({
      group: distinct(all.map(({ group }) => group)),
      kind: distinct(all.flatMap(kindsOf)),
      owner: distinct(all.flatMap(({ owners }) => owners)),
      tag: distinct(all.flatMap(tagsOf)),
    }),
    [all],
  );
  return (
    <>
      <div class="chips" role="group" aria-label="State">
        {STATES.map(([state, text], index) => {
          const number = counts[index] ?? 0;
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
      {(['group', 'kind', 'owner', 'tag'] as const).map((name) => (
        <Choose key={name} name={name} value={filter[name]} values={choices[name]} />
      ))}
    </>
  );
}

function Choose({
  name,
  value,
  values,
}: {
  name: 'group' | 'kind' | 'owner' | 'tag';
  value: string;
  values: readonly string[];
}) {
  if ((values.length < 2 || values.length > MOST_CHOICES) && value === '') return null;
  return (
    <label class="select">
      <span class="sr-only">{name}</span>
      <select value={value} onChange={(event) => setQuery({ [name]: event.currentTarget.value })}>
        <option value="">Any {name}</option>
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
