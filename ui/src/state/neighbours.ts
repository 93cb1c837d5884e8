/** The addresses of the last list that was shown, as it was filtered: `[` and `]` walk along it. */
let hrefs: readonly string[] = [];

export function rememberList(list: readonly string[]): void {
  hrefs = list;
}

export function neighbour(pathname: string, step: 1 | -1): string | null {
  const at = hrefs.indexOf(pathname);
  return at === -1 ? null : (hrefs[at + step] ?? null);
}
