import type { CST, Document, ParsedNode, YAMLMap } from 'yaml';
import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, Parser } from 'yaml';
import type { Diagnostic } from '../../lib/diagnostics.ts';
import { resolvePlainScalar } from './plain-scalar.ts';
import type { Position, YamlEntry, YamlMap, YamlValue } from './yaml-value.ts';

/** What a file may be at most; a file by hand comes nowhere near (fault C3). */
export const YAML_LIMITS = { bytes: 1_000_000, depth: 40, aliases: 100, nodes: 50_000 } as const;

export interface YamlResult {
  /** null: there are errors, or the file is empty. */
  readonly value: YamlValue | null;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * One YAML document with the place of every key and value. Never throws and never loops, whatever the bytes: what cannot
 * be read is a diagnostic (`YAML_SYNTAX`, `YAML_DUPLICATE_KEY`, `YAML_TOO_LARGE`). Words are read as the Python original
 * reads them (`plain-scalar.ts`); text in braces or after a `$` is left alone.
 */
export function parseYaml(file: string, bytes: Uint8Array): YamlResult {
  const reading = new Reading(file);
  const value = reading.read(bytes);
  return { value: reading.diagnostics.length > 0 ? null : value, diagnostics: reading.diagnostics };
}

class Reading {
  readonly diagnostics: Diagnostic[] = [];
  readonly #file: string;
  #lineStarts: number[] = [0];
  #anchors = new Map<string, { value: YamlValue | null; size: number }>();
  #aliases = 0;
  #nodes = 0;

  constructor(file: string) {
    this.#file = file;
  }

  read(bytes: Uint8Array): YamlValue | null {
    if (bytes.byteLength > YAML_LIMITS.bytes) {
      this.#tooLarge(
        { line: 1, column: 1 },
        `the file has ${bytes.byteLength} bytes`,
        'at most 1 MB is read',
      );
      return null;
    }
    const text = this.#decode(bytes);
    if (text === null) return null;
    this.#lineStarts = lineStarts(text);
    const tokens = this.#tokens(text);
    if (tokens === null) return null;
    const document = this.#compose(tokens);
    if (document === null || document.contents === null) return null;
    return this.#convert(document.contents, '', 0);
  }

  #decode(bytes: Uint8Array): string | null {
    let text: string;
    try {
      text = DECODER.decode(bytes);
    } catch {
      const line = invalidUtf8Line(bytes);
      this.#syntax({ line, column: 1 }, 'the file is not UTF-8 text', 'save it as UTF-8');
      return null;
    }
    const control = CONTROL.exec(text);
    if (control === null) return text;
    this.#lineStarts = lineStarts(text);
    const code = control[0].charCodeAt(0).toString(16).padStart(4, '0').toUpperCase();
    this.#syntax(
      this.#position(control.index),
      `the control character U+${code} is not allowed in YAML`,
      'remove it',
    );
    return null;
  }

  /** Lexes and parses step by step, so that nesting is bounded before anything recursive sees it. */
  #tokens(text: string): CST.Token[] | null {
    const tokens: CST.Token[] = [];
    const parser = new Parser();
    try {
      for (const lexeme of new Lexer().lex(text)) {
        for (const token of parser.next(lexeme)) tokens.push(token);
        // A nested collection is two entries at most: itself and the item in work.
        if (parser.stack.length > 2 * YAML_LIMITS.depth) {
          this.#tooLarge(
            this.#position(parser.offset),
            'the file is nested too deeply',
            `at most ${YAML_LIMITS.depth} levels are read`,
          );
          return null;
        }
      }
      for (const token of parser.end()) tokens.push(token);
    } catch (error) {
      this.#syntax(this.#position(parser.offset), `the file cannot be parsed: ${messageOf(error)}`);
      return null;
    }
    return tokens;
  }

  #compose(tokens: CST.Token[]): Document.Parsed | null {
    let first: Document.Parsed | null = null;
    try {
      const composer = new Composer({
        schema: 'failsafe',
        version: '1.2',
        uniqueKeys: false,
        prettyErrors: false,
        logLevel: 'silent',
      });
      for (const document of composer.compose(tokens)) {
        if (first !== null) {
          this.#syntax(
            this.#position(document.range[0]),
            'a second YAML document begins here',
            'a file holds one document: remove the line "---"',
          );
          return null;
        }
        first = document;
      }
    } catch (error) {
      this.#syntax({ line: 1, column: 1 }, `the file cannot be parsed: ${messageOf(error)}`);
      return null;
    }
    for (const { pos, code, message } of first?.errors ?? []) {
      const hint = code === 'TAB_AS_INDENT' ? 'indent with spaces' : undefined;
      this.#syntax(this.#position(pos[0]), sentence(message), hint);
    }
    return this.diagnostics.length > 0 ? null : first;
  }

  #convert(node: ParsedNode, path: string, depth: number): YamlValue | null {
    const at = this.#position(node.range[0]);
    if (depth > YAML_LIMITS.depth) {
      this.#tooLarge(
        at,
        'the file is nested too deeply',
        `at most ${YAML_LIMITS.depth} levels are read`,
        path,
      );
      return null;
    }
    this.#nodes += 1;
    if (this.#nodes > YAML_LIMITS.nodes) {
      const what = this.#aliases > 0 ? 'keys and values once its aliases are expanded' : 'keys and values';
      this.#tooLarge(at, `the file has more than ${YAML_LIMITS.nodes} ${what}`, 'make it smaller', path);
      return null;
    }
    if (isAlias(node)) return this.#expand(node.source, at, path);
    const anchor = node.anchor;
    const slot = { value: null as YamlValue | null, size: 0 };
    if (anchor !== undefined) this.#anchors.set(anchor, slot);
    const before = this.#nodes;
    const value = this.#convertContent(node, at, path, depth);
    slot.value = value;
    slot.size = this.#nodes - before;
    return value;
  }

  #convertContent(node: ParsedNode, at: Position, path: string, depth: number): YamlValue | null {
    if (isMap(node)) return this.#convertMap(node, at, path, depth);
    if (isSeq(node)) {
      const items: YamlValue[] = [];
      for (const [index, item] of node.items.entries()) {
        const value = this.#convert(item, `${path}[${index}]`, depth + 1);
        if (value === null) return null;
        items.push(value);
      }
      return { kind: 'list', items, ...at };
    }
    if (!isScalar(node)) return null;
    const text = typeof node.value === 'string' ? node.value : '';
    const tag = node.tag;
    if (tag !== undefined && tag !== STRING_TAG) {
      this.#syntax(
        at,
        `the tag "${tag.replace('tag:yaml.org,2002:', '!!')}" is not read here`,
        'remove it',
        path,
      );
      return null;
    }
    const plain = node.type === 'PLAIN' || node.type === undefined;
    const style = plain ? 'plain' : node.type?.startsWith('QUOTE') === true ? 'quoted' : 'block';
    const value = plain && tag === undefined ? resolvePlainScalar(text) : text;
    return { kind: 'scalar', value, text, style, ...at };
  }

  #convertMap(node: YAMLMap.Parsed, at: Position, path: string, depth: number): YamlMap | null {
    const entries = new Map<string, YamlEntry>();
    const merged: YamlMap[] = [];
    for (const pair of node.items) {
      const key = this.#keyOf(pair.key, at, path);
      if (key === null) return null;
      const below = path === '' ? key.text : `${path}.${key.text}`;
      const value =
        pair.value === null
          ? nothingAt(key.at)
          : this.#convert(pair.value, key.merge ? path : below, depth + 1);
      if (value === null) return null;
      if (key.merge) {
        const maps = value.kind === 'list' ? value.items : [value];
        const other = maps.find((one) => one.kind !== 'map');
        if (other !== undefined) {
          this.#syntax(key.at, '"<<" takes a mapping or a list of mappings', undefined, path);
          return null;
        }
        merged.push(...maps.filter((one) => one.kind === 'map'));
        continue;
      }
      const earlier = entries.get(key.text);
      if (earlier !== undefined) {
        this.#report('YAML_DUPLICATE_KEY', key.at, `the key "${key.text}" stands twice`, below, {
          hint: `the first one is in line ${earlier.at.line}`,
        });
        continue;
      }
      entries.set(key.text, { key: key.text, at: key.at, value });
    }
    for (const map of merged) {
      for (const entry of map.entries.values()) if (!entries.has(entry.key)) entries.set(entry.key, entry);
    }
    return { kind: 'map', entries, ...at };
  }

  #keyOf(key: unknown, map: Position, path: string): { text: string; at: Position; merge: boolean } | null {
    if (isScalar(key) && key.range != null) {
      const at = this.#position(key.range[0]);
      const text = typeof key.value === 'string' ? key.value : '';
      if (text === '__proto__') {
        this.#syntax(at, 'the key "__proto__" is not allowed', undefined, path);
        return null;
      }
      return { text, at, merge: text === '<<' && key.type === 'PLAIN' };
    }
    if (isAlias(key) && key.range != null) {
      const at = this.#position(key.range[0]);
      const value = this.#expand(key.source, at, path);
      if (value?.kind === 'scalar') return { text: value.text, at, merge: false };
      if (value !== null) this.#syntax(at, 'a key must be a word', undefined, path);
      return null;
    }
    this.#syntax(map, 'a key must be a word', 'put text with braces or brackets in quotes', path);
    return null;
  }

  #expand(name: string, at: Position, path: string): YamlValue | null {
    this.#aliases += 1;
    const anchor = this.#anchors.get(name);
    if (this.#aliases > YAML_LIMITS.aliases) {
      this.#tooLarge(at, `the file has more than ${YAML_LIMITS.aliases} aliases`, 'write the values out');
      return null;
    }
    if (anchor === undefined) {
      this.#syntax(at, `there is no anchor "&${name}" before this alias`, undefined, path);
      return null;
    }
    if (anchor.value === null) {
      this.#syntax(at, `the value contains itself through "*${name}"`, 'write the value out', path);
      return null;
    }
    this.#nodes += anchor.size;
    if (this.#nodes > YAML_LIMITS.nodes) {
      const what = `the file has more than ${YAML_LIMITS.nodes} keys and values once its aliases are expanded`;
      this.#tooLarge(at, what, 'write the values out');
      return null;
    }
    return anchor.value;
  }

  #position(offset: number): Position {
    const starts = this.#lineStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - starts[low]! + 1 };
  }

  #syntax(at: Position, message: string, hint?: string, path = ''): void {
    const bracket = /end with an? ([\]}])/.exec(message)?.[1];
    const advice = hint ?? (bracket === undefined ? undefined : `close the bracket above with "${bracket}"`);
    this.#report('YAML_SYNTAX', at, message, path, advice === undefined ? {} : { hint: advice });
  }

  #tooLarge(at: Position, message: string, hint: string, path = ''): void {
    this.#report('YAML_TOO_LARGE', at, message, path, { hint });
  }

  #report(code: string, at: Position, message: string, path: string, rest: { hint?: string }): void {
    this.diagnostics.push({
      code,
      severity: 'error',
      message,
      file: this.#file,
      line: at.line,
      column: at.column,
      ...(path === '' ? {} : { path }),
      ...rest,
    });
  }
}

/** Strips a byte order mark. */
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
const STRING_TAG = 'tag:yaml.org,2002:str';
/** Not printable in YAML (1.2 §5.1): controls but tab, line feed, carriage return and next line. */
const CONTROL = /(?![\t\n\r\u0085])[\p{Cc}\ufffe\uffff]/u;

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** The first line that a strict decoder refuses. */
function invalidUtf8Line(bytes: Uint8Array): number {
  let line = 1;
  let from = 0;
  for (let at = bytes.indexOf(10); ; at = bytes.indexOf(10, from)) {
    const end = at === -1 ? bytes.length : at;
    try {
      DECODER.decode(bytes.subarray(from, end));
    } catch {
      return line;
    }
    if (at === -1) return line;
    from = at + 1;
    line += 1;
  }
}

function nothingAt(at: Position): YamlValue {
  return { kind: 'scalar', value: null, text: '', style: 'plain', ...at };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The library's messages begin with a capital; ours follow a code. */
function sentence(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
