import type { PythonNode, PythonTree } from './python-tree.ts';
import { children, sourceOf } from './python-tree.ts';

export type PythonLiteral =
  | string
  | number
  | boolean
  | null
  | readonly PythonLiteral[]
  | { readonly [key: string]: PythonLiteral };

const DEEPEST = 30;

/** The value of a literal, sets and tuples as lists; undefined: it is not one, or holds something that is not. */
export function literalOf(
  tree: PythonTree,
  node: PythonNode | undefined,
  depth = 0,
): PythonLiteral | undefined {
  if (node === undefined || depth > DEEPEST) return undefined;
  switch (node.name) {
    case 'String':
      return stringLiteral(sourceOf(tree, node));
    case 'ContinuedString': {
      const parts = children(node).map((part) => literalOf(tree, part, depth + 1));
      return parts.every((part) => typeof part === 'string') ? parts.join('') : undefined;
    }
    case 'Number': {
      const number = Number(sourceOf(tree, node).replaceAll('_', ''));
      return Number.isFinite(number) ? number : undefined;
    }
    case 'Boolean':
      return sourceOf(tree, node) === 'True';
    case 'None':
      return null;
    case 'ParenthesizedExpression':
      return literalOf(tree, node.getChild('(')?.nextSibling ?? undefined, depth + 1);
    case 'UnaryExpression': {
      const value = literalOf(tree, node.lastChild ?? undefined, depth + 1);
      return typeof value === 'number' && sourceOf(tree, node).startsWith('-') ? -value : undefined;
    }
    case 'ArrayExpression':
    case 'TupleExpression':
    case 'SetExpression': {
      const items = content(node).map((item) => literalOf(tree, item, depth + 1));
      return items.includes(undefined) ? undefined : (items as PythonLiteral[]);
    }
    case 'DictionaryExpression':
      return dictionary(tree, node, depth);
    default:
      return undefined;
  }
}

/** The text of a literal string; undefined: it is anything else. */
export function literalText(tree: PythonTree, node: PythonNode | undefined): string | undefined {
  const value = literalOf(tree, node);
  return typeof value === 'string' ? value : undefined;
}

function dictionary(tree: PythonTree, node: PythonNode, depth: number): PythonLiteral | undefined {
  const entries: [string, PythonLiteral][] = [];
  const parts = content(node);
  for (let index = 0; index < parts.length; index += 3) {
    const key = literalOf(tree, parts[index], depth + 1);
    const value = literalOf(tree, parts[index + 2], depth + 1);
    if (parts[index + 1]?.name !== ':' || typeof key !== 'string' || value === undefined) return undefined;
    entries.push([key, value]);
  }
  return Object.fromEntries(entries);
}

function content(node: PythonNode): PythonNode[] {
  return children(node).filter(
    (child) => !['[', ']', '(', ')', '{', '}', ',', 'Comment'].includes(child.name),
  );
}

function stringLiteral(source: string): string | undefined {
  const match = /^([rRuUbB]*)("""|'''|"|')([\s\S]*)\2$/.exec(source);
  if (match === null) return undefined;
  const [, prefix = '', , body = ''] = match;
  if (/b/i.test(prefix)) return undefined;
  return /r/i.test(prefix) ? body : unescape(body);
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', '\n': '' };

function unescape(body: string): string {
  return body.replace(/\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|([\s\S]))/g, (_, x, u, character: string) => {
    const code = (x ?? u) as string | undefined;
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return ESCAPES[character] ?? (/["'\\]/.test(character) ? character : `\\${character}`);
  });
}

/** The docstring of a function's body, its indentation removed; undefined: it has none. */
export function docstringOf(tree: PythonTree, definition: PythonNode): string | undefined {
  const first = definition.getChild('Body')?.firstChild?.nextSibling;
  const node = first?.name === 'Comment' ? first.nextSibling : first;
  const text =
    node?.name === 'ExpressionStatement' ? literalText(tree, node.firstChild ?? undefined) : undefined;
  const lines = text?.trim().split('\n');
  if (lines === undefined || lines[0] === '') return undefined;
  return lines.map((line) => line.trim()).join('\n');
}
