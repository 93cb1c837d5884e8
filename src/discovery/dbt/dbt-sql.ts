/** What a model's SQL says about itself, read without rendering its Jinja. */
export interface SqlFacts {
  readonly tags: readonly string[];
  readonly materialized?: string;
  readonly enabled?: boolean;
  readonly refs: readonly string[];
  readonly sources: readonly { readonly source: string; readonly table: string }[];
}

/** Names in `config(…)`, `ref(…)` and `source(…)` that are written out; computed ones need `dbt parse`. */
export function readModelSql(sql: string): SqlFacts {
  const code = sql.replaceAll(/\{#[\s\S]*?#\}/g, '').replaceAll(/--[^\n]*/g, '');
  const config = /\bconfig\s*\(([\s\S]*?)\)\s*-?\}\}/.exec(code)?.[1] ?? '';
  const tags = /\btags\s*=\s*(\[[^\]]*\]|"[^"]*"|'[^']*')/.exec(config)?.[1] ?? '';
  const materialized = /\bmaterialized\s*=\s*["'](\w+)["']/.exec(config)?.[1];
  const enabled = /\benabled\s*=\s*(true|false)\b/i.exec(config)?.[1]?.toLowerCase();
  return {
    tags: quoted(tags),
    ...(materialized === undefined ? {} : { materialized }),
    ...(enabled === undefined ? {} : { enabled: enabled === 'true' }),
    refs: [...code.matchAll(/\bref\s*\(\s*(["'][^)]*)\)/g)].flatMap(([, list = '']) =>
      quoted(list).slice(-1),
    ),
    sources: [...code.matchAll(/\bsource\s*\(\s*(["'][^)]*)\)/g)].flatMap(([, list = '']) => {
      const [source, table] = quoted(list);
      return source === undefined || table === undefined ? [] : [{ source, table }];
    }),
  };
}

/** Variables of `env_var('X')` in a project's files; without a second argument dbt cannot parse without them. */
export function readEnvVars(
  text: string,
): { readonly name: string; readonly required: boolean; readonly index: number }[] {
  return [...text.matchAll(/\benv_var\s*\(\s*["'](\w+)["']\s*([,)])/g)].map((match) => ({
    name: match[1]!,
    required: match[2] === ')',
    index: match.index,
  }));
}

function quoted(list: string): string[] {
  return [...list.matchAll(/"([^"]*)"|'([^']*)'/g)].map((match) => match[1] ?? match[2]!);
}
