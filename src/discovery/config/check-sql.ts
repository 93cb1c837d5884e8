import type { MapReader } from './map-reader.ts';

/** Values of a run's partition that SQL of a check can use; they are bound, never pasted (`checks/statement.py`). */
const PLACEHOLDER = /\{(?:partition_key|start|end)\}/;
const QUOTED = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"/g;
const COMMENT = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/;
const CHANGES =
  /^(?:insert|update|delete|merge|create|drop|alter|truncate|copy|grant|revoke|attach|detach|call|vacuum|pragma|set|begin|commit|load|install|export|import)\b/i;

/** What cannot work of a check's own SQL, at the key that holds it. */
export function checkSql(map: MapReader, key: 'sql' | 'where', isPartitioned: boolean): void {
  const text = map.text(key);
  if (text === undefined) return;
  const quoted = quotedPlaceholder(text);
  if (quoted !== undefined) {
    const hint = `write ${quoted} without quotes: it stands for a whole value`;
    map.error('CONFIG_VALUE', key, `${quoted} stands inside quotes, where it is only text`, hint);
  } else if (!isPartitioned && PLACEHOLDER.test(text)) {
    const hint = 'set partitions:, or leave the placeholder out';
    map.error(
      'CONFIG_VALUE',
      key,
      `${PLACEHOLDER.exec(text)![0]} is used, and nothing here has partitions`,
      hint,
    );
  }
  const word = key === 'sql' ? CHANGES.exec(text.replace(COMMENT, ''))?.[0] : undefined;
  if (word !== undefined) {
    map.error(
      'CONFIG_VALUE',
      key,
      `a check only reads, and this begins with ${word}`,
      'write a query that gives the rows at fault',
    );
  }
}

function quotedPlaceholder(text: string): string | undefined {
  return [...text.matchAll(QUOTED)]
    .filter(([found]) => /^['"]/.test(found))
    .flatMap(([found]) => PLACEHOLDER.exec(found) ?? [])[0];
}
