import { parser } from '@lezer/python';
import type { Position } from '../yaml/yaml-value.ts';

type Tree = ReturnType<typeof parser.parse>;
export type PythonNode = Tree['topNode'];

/** A Python file's syntax tree with what reading it needs. Broken code still gives a tree: what is whole in it is found. */
export interface PythonTree {
  readonly text: string;
  readonly top: PythonNode;
  /** Local name → what it stands for: `import dlt as d` gives `d → dlt`, `from dlt import resource` `resource → dlt.resource`. */
  readonly imports: ReadonlyMap<string, string>;
  position(offset: number): Position;
}

export function parsePython(text: string): PythonTree {
  const top = parser.parse(text).topNode;
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return {
    text,
    top,
    imports: readImports(top, text),
    position(offset) {
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (starts[middle]! <= offset) low = middle;
        else high = middle - 1;
      }
      return { line: low + 1, column: offset - starts[low]! + 1 };
    },
  };
}

export function children(node: PythonNode): PythonNode[] {
  const found: PythonNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child);
  return found;
}

/** Every node below one, itself included, in order. Iterative: code may be nested deeply. */
export function* descendants(node: PythonNode): IterableIterator<PythonNode> {
  const stack = [node];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    yield next;
    for (let child = next.lastChild; child !== null; child = child.prevSibling) stack.push(child);
  }
}

export function sourceOf(tree: PythonTree, node: PythonNode): string {
  return tree.text.slice(node.from, node.to);
}

/** `dlt.sources.incremental` of a name or of a chain of attributes, imports resolved; null: it is something else. */
export function dottedName(tree: PythonTree, node: PythonNode): string | null {
  const names = chain(tree, node);
  return names === null ? null : resolved(tree, names);
}

/** The name after the `@` of a decorator. */
export function decoratorName(tree: PythonTree, decorator: PythonNode): string {
  const names = children(decorator).filter(
    (child) => child.name === 'VariableName' || child.name === 'PropertyName',
  );
  return resolved(
    tree,
    names.map((name) => sourceOf(tree, name)),
  );
}

function resolved(tree: PythonTree, names: readonly string[]): string {
  const [first, ...rest] = names;
  return [tree.imports.get(first ?? '') ?? first, ...rest].join('.');
}

function chain(tree: PythonTree, node: PythonNode): string[] | null {
  const names: string[] = [];
  let at: PythonNode | null = node;
  while (at?.name === 'MemberExpression') {
    const last: PythonNode | null = at.lastChild;
    if (last?.name !== 'PropertyName') return null;
    names.unshift(sourceOf(tree, last));
    at = at.firstChild;
  }
  if (at?.name !== 'VariableName') return null;
  names.unshift(sourceOf(tree, at));
  return names;
}

export interface PythonArguments {
  readonly positional: readonly PythonNode[];
  readonly keywords: ReadonlyMap<string, PythonNode>;
}

/** Arguments of a call or a decorator. */
export function argumentsOf(tree: PythonTree, call: PythonNode): PythonArguments {
  const list = call.getChild('ArgList');
  const positional: PythonNode[] = [];
  const keywords = new Map<string, PythonNode>();
  const nodes = list === null ? [] : children(list);
  for (let index = 0; index < nodes.length; index++) {
    const node = nodes[index]!;
    if (['(', ')', ',', 'Comment', '*', '**'].includes(node.name)) continue;
    if (nodes[index + 1]?.name === 'AssignOp') {
      const value = nodes[index + 2];
      if (value !== undefined) keywords.set(sourceOf(tree, node), value);
      index += 2;
    } else positional.push(node);
  }
  return { positional, keywords };
}

function readImports(top: PythonNode, text: string): Map<string, string> {
  const imports = new Map<string, string>();
  for (const statement of top.getChildren('ImportStatement')) {
    const words = children(statement).map((node) => text.slice(node.from, node.to));
    const split = words.indexOf('import');
    const from = words[0] === 'from' ? words.slice(1, split).join('') : null;
    const names = words.slice(split + 1).filter((word) => word !== '(' && word !== ')');
    for (const item of splitAt(names, ',')) {
      const as = item.indexOf('as');
      const path = (as === -1 ? item : item.slice(0, as)).join('');
      if (path === '' || path === '*') continue;
      if (from !== null) imports.set(item[as + 1] ?? path, `${from}.${path}`);
      // `import a.b` binds `a`.
      else if (as !== -1) imports.set(item[as + 1] ?? path, path);
    }
  }
  return imports;
}

function splitAt(words: readonly string[], separator: string): string[][] {
  const groups: string[][] = [[]];
  for (const word of words) {
    if (word === separator) groups.push([]);
    else groups.at(-1)!.push(word);
  }
  return groups;
}
