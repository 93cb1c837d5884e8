import { Temporal } from '../../lib/temporal.ts';
import type { TimeWindow } from '../../partitions/instant.ts';
import type { StepSpec } from '../../plan/step-spec.ts';

/** A window's bounds as ISO 8601 in the partitions' own zone: the date in it is the partition's date. */
export function windowTexts(
  window: TimeWindow,
  timezone: string,
): { readonly start: string; readonly end: string } {
  return { start: isoText(window.start, timezone), end: isoText(window.end, timezone) };
}

/** What a step learns of its partitions (`interfaces.md` §3). */
export function partitionVariables(spec: StepSpec): Record<string, string> {
  const { partitions, window } = spec;
  const variables: Record<string, string> = {};
  if (partitions.kind === 'none') return variables;
  variables['ELT_PARTITION_KEYS'] = JSON.stringify(spec.partitionKeys);
  if (partitions.kind === 'key') variables['ELT_PARTITION_KEY'] = partitions.key;
  const range = partitionRange(spec);
  if (range !== null) {
    variables['ELT_PARTITION_RANGE_START'] = range.start;
    variables['ELT_PARTITION_RANGE_END'] = range.end;
  }
  for (const [dimension, key] of Object.entries(spec.partitionDimensions)) {
    variables[`ELT_PARTITION_KEY_${dimension.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`] = key;
  }
  if (window !== null) {
    const { start, end } = windowTexts(window, spec.timezone);
    variables['ELT_PARTITION_START'] = start;
    variables['ELT_PARTITION_END'] = end;
    variables['ELT_PARTITION_TIMEZONE'] = spec.timezone;
  }
  return variables;
}

export function partitionRange({
  partitions,
}: StepSpec): { readonly start: string; readonly end: string } | null {
  if (partitions.kind === 'key') return { start: partitions.key, end: partitions.key };
  return partitions.kind === 'range' ? { start: partitions.start, end: partitions.end } : null;
}

function isoText(instant: number, timezone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(instant)
    .toZonedDateTimeISO(timezone)
    .toString({ timeZoneName: 'never', smallestUnit: 'second' });
}
