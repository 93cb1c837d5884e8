import type { YamlValue } from '../yaml/yaml-value.ts';
import type { MapReader } from './map-reader.ts';

/** An asset key as users write it: parts joined by `/`, or a list of parts. */
export function readAssetKey(map: MapReader, value: YamlValue, path: string): string | undefined {
  if (value.kind === 'list') {
    const parts = value.items.map((item, index) => map.textAt(item, `${path}[${index}]`));
    if (parts.some((part) => part === undefined)) return undefined;
    return checkedKey(map, value, path, parts.join('/'));
  }
  const text = map.textAt(value, path);
  return text === undefined ? undefined : checkedKey(map, value, path, text.trim());
}

function checkedKey(map: MapReader, value: YamlValue, path: string, key: string): string | undefined {
  if (isAssetKey(key)) return key;
  const hint = 'parts of letters, digits, "_", "-" and "." joined by "/"';
  map.reader.error('CONFIG_VALUE', value, path, `"${key}" cannot be an asset key`, hint);
  return undefined;
}

/** No empty part, no white space, no control character, nothing that selections use as an operator. */
export function isAssetKey(key: string): boolean {
  return key.length <= 512 && /^[^\s/*+"'(),\p{Cc}]+(?:\/[^\s/*+"'(),\p{Cc}]+)*$/u.test(key);
}
