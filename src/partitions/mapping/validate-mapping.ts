import type { PartitionsDefinition, PartitionsProblem } from '../definition/partitions-definition.ts';
import { canonicalZone } from '../zone.ts';
import { betweenSingle, fittingDimension } from './default-mapping.ts';
import { pairs } from './key-mappings.ts';
import type { MultiMapping, MultiToSingleMapping, PartitionMapping } from './partition-mapping.ts';

/**
 * Why a mapping cannot go between two assets, all faults at once; empty = it can. `null` = no partitions.
 * `path` is dotted from the mapping.
 */
export function validateMapping(
  upstream: PartitionsDefinition | null,
  downstream: PartitionsDefinition | null,
  mapping: PartitionMapping,
): PartitionsProblem[] {
  if (upstream === null || mapping.kind === 'all' || mapping.kind === 'last') return [];
  if (mapping.kind === 'specific') {
    if (upstream.kind !== 'static') return [];
    return mapping.keys.flatMap((key, index) =>
      upstream.keys.includes(key) ? [] : [fault(`keys.${index}`, `the upstream has no partition "${key}"`)],
    );
  }
  if (downstream === null) {
    return [fault('', `a ${mapping.kind} mapping needs partitions downstream`, 'Use all, last or specific.')];
  }
  if (mapping.kind === 'identity') {
    if (upstream.kind === downstream.kind) return [];
    return [
      fault(
        '',
        `${describe(upstream)} and ${describe(downstream)} have no keys in common`,
        'Name a mapping.',
      ),
    ];
  }
  if (mapping.kind === 'multi') return multiProblems(upstream, downstream, mapping);
  if (mapping.kind === 'multi_to_single') return toSingleProblems(upstream, downstream, mapping);
  if (mapping.kind === 'static') {
    if (upstream.kind !== 'static' || downstream.kind !== 'static') {
      return [fault('', 'a static mapping goes between static partitions')];
    }
    const problems: PartitionsProblem[] = [];
    for (const [from, to] of pairs(mapping)) {
      if (!upstream.keys.includes(from))
        problems.push(fault(`map.${from}`, `the upstream has no partition "${from}"`));
      if (!downstream.keys.includes(to))
        problems.push(fault(`map.${from}`, `the downstream has no partition "${to}"`));
    }
    return problems;
  }
  if (upstream.kind !== 'time' || downstream.kind !== 'time') {
    return [fault('', 'a time_window mapping goes between time partitions')];
  }
  const problems: PartitionsProblem[] = [];
  if (canonicalZone(upstream.timezone) !== canonicalZone(downstream.timezone)) {
    problems.push(
      fault(
        '',
        `the time zones differ: ${upstream.timezone} and ${downstream.timezone}`,
        'Windows of different zones do not line up.',
      ),
    );
  }
  if (mapping.startOffset > mapping.endOffset) {
    problems.push(fault('startOffset', 'start_offset is greater than end_offset: no window is left'));
  }
  return problems;
}

function multiProblems(
  upstream: PartitionsDefinition,
  downstream: PartitionsDefinition,
  mapping: MultiMapping,
): PartitionsProblem[] {
  if (upstream.kind !== 'multi' || downstream.kind !== 'multi') {
    return [fault('', 'a multi mapping goes between 2-D partitions')];
  }
  const taken = new Set<string>();
  return Object.entries(mapping.dimensions).flatMap(([name, { dimension, mapping: inner }]) => {
    const path = `dimensions.${name}`;
    const from = upstream.dimensions[name];
    const to = downstream.dimensions[dimension];
    if (from === undefined) return [fault(path, `the upstream has no dimension "${name}"`)];
    if (to === undefined) return [fault(path, `the downstream has no dimension "${dimension}"`)];
    if (taken.has(dimension)) return [fault(path, `dimension "${dimension}" is used twice`)];
    taken.add(dimension);
    return validateMapping(from, to, inner).map((problem) => ({
      ...problem,
      path: `${path}.${problem.path}`,
    }));
  });
}

function toSingleProblems(
  upstream: PartitionsDefinition,
  downstream: PartitionsDefinition,
  mapping: MultiToSingleMapping,
): PartitionsProblem[] {
  const wrong = [fault('', 'a multi_to_single mapping goes between a 2-D and a 1-D set')];
  const multi = upstream.kind === 'multi' ? upstream : downstream;
  const single = upstream.kind === 'multi' ? downstream : upstream;
  if (multi.kind !== 'multi' || single.kind === 'multi') return wrong;
  const name = mapping.dimension ?? fittingDimension(multi, single);
  if (name === null)
    return [fault('dimension', 'no dimension fits, or more than one does', 'Name the dimension.')];
  const side = multi.dimensions[name];
  if (side === undefined) return [fault('dimension', `there is no dimension "${name}"`)];
  return upstream.kind === 'multi'
    ? validateMapping(side, single, betweenSingle(side, single))
    : validateMapping(single, side, betweenSingle(single, side));
}

function describe(definition: PartitionsDefinition): string {
  return { time: 'time partitions', static: 'static partitions', multi: '2-D partitions' }[definition.kind];
}

function fault(path: string, message: string, hint?: string): PartitionsProblem {
  return hint === undefined ? { path, message } : { path, message, hint };
}
