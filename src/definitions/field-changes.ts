/** One field that differs; absent is null. */
export interface FieldDifference {
  /** Dotted: `partitions.time.start`. */
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * What differs between two plain objects, by dotted path, in the order of the names. An object that comes or goes is one
 * difference; lists are compared whole, unless both hold as many objects (`asset_sets[1].select`). `undefined` is absent.
 */
export function fieldChanges(before: object, after: object, prefix = ''): FieldDifference[] {
  if (before === after) return [];
  const [old, now] = [before as Fields, after as Fields];
  const changes: FieldDifference[] = [];
  for (const key of [...new Set([...Object.keys(old), ...Object.keys(now)])].sort()) {
    const [from, to] = [old[key], now[key]];
    const field = prefix === '' ? key : `${prefix}.${key}`;
    if (isFields(from) && isFields(to)) changes.push(...fieldChanges(from, to, field));
    else if (isListOfFields(from) && isListOfFields(to) && from.length === to.length)
      changes.push(...from.flatMap((item, index) => fieldChanges(item, to[index]!, `${field}[${index}]`)));
    else if (!isEqual(from, to)) changes.push({ field, from: from ?? null, to: to ?? null });
  }
  return changes;
}

/** Equal as JSON, whatever the order of keys; null and undefined are alike. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b) || (a == null && b == null)) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => isEqual(item, b[index]));
  if (!isFields(a) || !isFields(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => isEqual(a[key], b[key]));
}

function isListOfFields(value: unknown): value is readonly Fields[] {
  return Array.isArray(value) && value.every(isFields);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
