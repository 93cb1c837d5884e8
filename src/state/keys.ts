/**
 * Which keys of a snapshot are ours (camelCase in code, snake_case in the file) and which are the user's and stay as
 * written.
 */

/** Everything below these is the user's. A list under one of these names (`pools`, `metadata`) is ours. */
const VERBATIM = new Set([
  'tags',
  'env',
  'settings',
  'sourceArgs',
  'vars',
  'map',
  'sourceKeys',
  'pools',
  'metadata',
  'value',
]);
/** Maps from names of the user to objects of ours. */
const NAMED = new Set(['assets', 'incremental', 'dimensions']);

export type KeyKind = 'ours' | 'named' | 'verbatim';

/** What the keys of the value under `key` are. */
export function kindBelow(key: string, value: unknown): KeyKind {
  if (key === 'value') return 'verbatim';
  if (Array.isArray(value)) return 'ours';
  if (VERBATIM.has(key)) return 'verbatim';
  return NAMED.has(key) ? 'named' : 'ours';
}

export function snakeCase(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function camelCase(key: string): string {
  return key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
