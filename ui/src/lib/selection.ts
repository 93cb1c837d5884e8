/** A selection of exactly these assets, in the syntax of `elt materialize`. */
export function selectionOf(keys: readonly string[]): string {
  return keys.map((key) => (/^[\w./-]+$/.test(key) ? `key:${key}` : `key:"${key}"`)).join(' or ');
}
