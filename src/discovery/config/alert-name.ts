const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,62}$/u;

export const NAME_HINT = 'use up to 63 letters, digits, blanks, ".", "_" and "-"';

/** Names of rules and channels have to fit into addresses and subjects. Null: this one does. */
export function nameMistake(name: string): string | null {
  return NAME.test(name) ? null : `"${name.slice(0, 80)}" cannot be a name`;
}
