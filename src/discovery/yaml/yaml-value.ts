/** A place in a file; both count from 1, columns in UTF-16 units as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A YAML document as plain data that remembers where everything stood. */
export type YamlValue = YamlScalar | YamlList | YamlMap;

export interface YamlScalar extends Position {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** As written, without quotes: `1.10`, `yes`, `2024-01-01`. */
  readonly text: string;
  /** `plain` and `quoted` text stands in the file as it is, so a place inside it can be named; `block` text does not. */
  readonly style: 'plain' | 'quoted' | 'block';
}

export interface YamlList extends Position {
  readonly kind: 'list';
  readonly items: readonly YamlValue[];
}

export interface YamlMap extends Position {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, YamlEntry>;
}

export interface YamlEntry {
  readonly key: string;
  readonly at: Position;
  readonly value: YamlValue;
}

/** The value as JSON would hold it. */
export function plainValue(value: YamlValue): unknown {
  switch (value.kind) {
    case 'scalar':
      return value.value;
    case 'list':
      return value.items.map(plainValue);
    case 'map':
      return Object.fromEntries([...value.entries].map(([key, entry]) => [key, plainValue(entry.value)]));
  }
}

/** What a person would call the value's type. */
export function typeName(value: YamlValue): string {
  if (value.kind === 'map') return 'a mapping';
  if (value.kind === 'list') return 'a list';
  if (value.value === null) return 'nothing';
  if (typeof value.value === 'string') return 'text';
  return typeof value.value === 'boolean' ? 'true or false' : 'a number';
}

export function isNull(value: YamlValue): boolean {
  return value.kind === 'scalar' && value.value === null;
}
