import type { Position, YamlEntry, YamlMap, YamlScalar, YamlValue } from '../yaml/yaml-value.ts';
import { isNull, typeName } from '../yaml/yaml-value.ts';
import type { ConfigReader } from './config-reader.ts';
import { readDuration } from './duration.ts';
import { nearest } from './suggest.ts';

/** Words that people write for a key (other tools' names for it) → the key. */
export type Synonyms = Readonly<Record<string, string>>;

interface NumberRange {
  readonly min?: number;
  readonly max?: number;
}

/**
 * A mapping of a configuration file under validation. Each getter reads one key: absent or empty gives undefined; a
 * wrong value is reported with its place and gives undefined too, so that reading goes on and finds the next mistake.
 */
export class MapReader {
  readonly reader: ConfigReader;
  readonly map: YamlMap;
  readonly path: string;
  /** Where the mapping's own key stands: a missing key is reported there. */
  readonly at: Position;
  /** A misspelt key's value is read as if it were spelt right: one mistake gives one message. */
  readonly #stands = new Map<string, YamlEntry>();

  constructor(
    reader: ConfigReader,
    map: YamlMap,
    path: string,
    at: Position,
    keys: readonly string[] | null,
    synonyms: Synonyms = {},
  ) {
    this.reader = reader;
    this.map = map;
    this.path = path;
    this.at = at;
    if (keys !== null) this.#checkKeys(keys, synonyms);
  }

  pathOf(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`;
  }

  entry(key: string): YamlEntry | undefined {
    const entry = this.map.entries.get(key) ?? this.#stands.get(key);
    return entry === undefined || isNull(entry.value) ? undefined : entry;
  }

  value(key: string): YamlValue | undefined {
    return this.entry(key)?.value;
  }

  has(key: string): boolean {
    return this.entry(key) !== undefined;
  }

  /** Where to point when something is said about a key: its value, else the mapping. */
  place(key: string): Position {
    return this.value(key) ?? this.at;
  }

  error(code: Parameters<ConfigReader['error']>[0], key: string, message: string, hint?: string): void {
    this.reader.error(code, this.place(key), this.pathOf(key), message, hint);
  }

  warning(code: Parameters<ConfigReader['warning']>[0], key: string, message: string, hint?: string): void {
    this.reader.warning(code, this.place(key), this.pathOf(key), message, hint);
  }

  missing(key: string, message: string, hint?: string): void {
    this.reader.error('CONFIG_MISSING_KEY', this.at, this.pathOf(key), message, hint);
  }

  section(key: string, keys: readonly string[] | null, synonyms?: Synonyms): MapReader | undefined {
    const entry = this.entry(key);
    if (entry === undefined) return undefined;
    if (entry.value.kind !== 'map') {
      this.wrongType(entry.value, this.pathOf(key), 'a mapping');
      return undefined;
    }
    return new MapReader(this.reader, entry.value, this.pathOf(key), entry.at, keys, synonyms);
  }

  /** This mapping again, once it is known which keys it has. */
  withKeys(keys: readonly string[] | null): MapReader {
    return new MapReader(this.reader, this.map, this.path, this.at, keys);
  }

  /** A mapping that stands in a list. */
  child(map: YamlMap, path: string, keys: readonly string[] | null, synonyms?: Synonyms): MapReader {
    return new MapReader(this.reader, map, path, map, keys, synonyms);
  }

  text(key: string): string | undefined {
    return this.textAt(this.value(key), this.pathOf(key));
  }

  /** Text, or a number as it is written: `code_version: 2`. */
  word(key: string): string | undefined {
    const value = this.value(key);
    if (value?.kind === 'scalar' && typeof value.value === 'number') return value.text;
    return this.textAt(value, this.pathOf(key));
  }

  boolean(key: string): boolean | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (value.kind === 'scalar' && typeof value.value === 'boolean') return value.value;
    const quoted = value.kind === 'scalar' && /^(?:true|false|yes|no|on|off)$/i.test(value.text);
    this.wrongType(value, this.pathOf(key), 'true or false', quoted ? 'remove the quotes' : undefined);
    return undefined;
  }

  integer(key: string, range: NumberRange = {}): number | undefined {
    const number = this.number(key, range);
    if (number === undefined) return undefined;
    if (Number.isSafeInteger(number)) return number;
    this.error('CONFIG_VALUE', key, `${this.#written(key)} is not a whole number that can be used`);
    return undefined;
  }

  number(key: string, range: NumberRange = {}): number | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (value.kind !== 'scalar' || typeof value.value !== 'number') {
      const quoted =
        value.kind === 'scalar' && value.style === 'quoted' && /^-?\d+(\.\d+)?$/.test(value.text);
      this.wrongType(value, this.pathOf(key), 'a number', quoted ? 'remove the quotes' : undefined);
      return undefined;
    }
    const problem = rangeProblem(value.value, range);
    if (problem === null) return value.value;
    this.error('CONFIG_VALUE', key, `${value.text} ${problem}`);
    return undefined;
  }

  /** Seconds: `30s`, `5m`, `1h`, `1h30m`, `2d`, or a bare number of seconds. */
  duration(key: string): number | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    const seconds = value.kind === 'scalar' ? readDuration(value) : null;
    if (seconds !== null) return seconds;
    const written = value.kind === 'scalar' ? `"${value.text}"` : typeName(value);
    this.error('CONFIG_VALUE', key, `${written} is not a duration`, 'write 30s, 5m, 1h or 1h30m');
    return undefined;
  }

  oneOf<T extends string>(key: string, words: readonly T[], ignoreCase = false): T | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    const found = words.find((word) => word === text || (ignoreCase && word === text.toUpperCase()));
    if (found !== undefined) return found;
    const near = nearest(text, words);
    const hint = near === null ? undefined : `did you mean "${near}"?`;
    this.error('CONFIG_VALUE', key, `"${text}" is not one of ${words.join(', ')}`, hint);
    return undefined;
  }

  items(key: string): readonly YamlValue[] | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (value.kind === 'list') return value.items;
    this.wrongType(value, this.pathOf(key), 'a list');
    return undefined;
  }

  /** A list of texts; one text alone is a list of one. */
  texts(key: string, options: { readonly alone?: boolean } = {}): readonly string[] | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (value.kind === 'scalar' && options.alone === true) {
      const text = this.textAt(value, this.pathOf(key));
      return text === undefined ? undefined : [text];
    }
    return this.items(key)?.flatMap((item, index) => {
      const text = this.textAt(item, `${this.pathOf(key)}[${index}]`);
      return text === undefined ? [] : [text];
    });
  }

  /** A mapping of free keys to texts. */
  textMap(key: string, options: { readonly anyScalar?: boolean } = {}): Record<string, string> | undefined {
    const inner = this.section(key, null);
    if (inner === undefined) return undefined;
    const texts: Record<string, string> = {};
    for (const { key: name, value } of inner.map.entries.values()) {
      if (options.anyScalar === true && value.kind === 'scalar') {
        texts[name] = value.text;
        continue;
      }
      const text = isNull(value) ? '' : this.textAt(value, inner.pathOf(name));
      if (text !== undefined) texts[name] = text;
    }
    return texts;
  }

  textAt(value: YamlValue | undefined, path: string): string | undefined {
    if (value === undefined) return undefined;
    if (value.kind === 'scalar' && typeof value.value === 'string') {
      if (value.value.trim() !== '') return value.value;
      this.reader.error(
        'CONFIG_VALUE',
        value,
        path,
        'the text is empty',
        'write something or remove the key',
      );
      return undefined;
    }
    const quotable = value.kind === 'scalar' && value.value !== null;
    this.wrongType(value, path, 'text', quotable ? `put it in quotes: "${value.text}"` : undefined);
    return undefined;
  }

  wrongType(value: YamlValue, path: string, wanted: string, hint?: string): void {
    this.reader.error('CONFIG_TYPE', value, path, `${wanted} is needed, this is ${describe(value)}`, hint);
  }

  #written(key: string): string {
    const value = this.value(key);
    return value?.kind === 'scalar' ? value.text : 'this';
  }

  #checkKeys(keys: readonly string[], synonyms: Synonyms): void {
    for (const entry of this.map.entries.values()) {
      if (keys.includes(entry.key) || entry.key.startsWith('x-')) continue;
      const path = this.pathOf(entry.key);
      const meant = synonyms[entry.key] ?? nearest(entry.key, keys);
      const message = `"${entry.key}" is not a key ${this.path === '' ? 'of this file' : `of "${this.path}"`}`;
      if (meant === null) {
        this.reader.warning(
          'CONFIG_UNKNOWN_KEY',
          entry.at,
          path,
          `${message}; it is ignored`,
          knownKeys(keys),
        );
      } else {
        this.reader.error('CONFIG_UNKNOWN_KEY', entry.at, path, message, `did you mean "${meant}"?`);
        this.#stands.set(meant, entry);
      }
    }
  }
}

/** Opens the document itself; an empty file is an empty mapping. Reports anything but a mapping. */
export function openDocument(
  reader: ConfigReader,
  value: YamlValue | null,
  keys: readonly string[] | null,
  synonyms: Synonyms = {},
): MapReader | null {
  const start = { line: 1, column: 1 };
  if (value === null || isNull(value)) {
    return new MapReader(reader, { kind: 'map', entries: new Map(), ...start }, '', start, keys, synonyms);
  }
  if (value.kind === 'map') return new MapReader(reader, value, '', start, keys, synonyms);
  reader.error('CONFIG_TYPE', value, '', `the file must be a mapping, this is ${describe(value)}`);
  return null;
}

export function describe(value: YamlValue): string {
  if (value.kind !== 'scalar' || value.value === null) return typeName(value);
  if (value.value === '') return 'empty text';
  return `${typeName(value)} (${shortened(value)})`;
}

function shortened(value: YamlScalar): string {
  return value.text.length > 40 ? `${value.text.slice(0, 40)}…` : value.text;
}

function rangeProblem(value: number, range: NumberRange): string | null {
  if (!Number.isFinite(value)) return 'is not a finite number';
  if (range.min !== undefined && value < range.min) return `is less than ${range.min}`;
  if (range.max !== undefined && value > range.max) return `is more than ${range.max}`;
  return null;
}

function knownKeys(keys: readonly string[]): string {
  return keys.length > 12 ? 'a key of your own begins with "x-"' : `known are ${keys.join(', ')}`;
}
