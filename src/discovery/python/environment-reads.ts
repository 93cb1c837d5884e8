import type { SourceRef } from '../pipeline-config.ts';
import { literalText } from './python-literal.ts';
import type { PythonTree } from './python-tree.ts';
import { argumentsOf, children, descendants, dottedName } from './python-tree.ts';

/** A variable that a folder's files read. */
export interface VariableRead {
  readonly name: string;
  /** Without it something is missing: it is read without a default. */
  readonly required: boolean;
  readonly source: SourceRef;
}

/** `os.environ["X"]`, `os.environ.get("X")`, `os.getenv("X")`: a cheap test before a file is parsed for it. */
export function mayReadEnvironment(code: string): boolean {
  return code.includes('environ') || code.includes('getenv');
}

export function readEnvironmentReads(tree: PythonTree, file: string): VariableRead[] {
  const reads: VariableRead[] = [];
  for (const node of descendants(tree.top)) {
    const read =
      node.name === 'MemberExpression' ? subscript(node) : node.name === 'CallExpression' ? call(node) : null;
    if (read === null) continue;
    const { line, column } = tree.position(node.from);
    reads.push({ ...read, source: { file, line, column } });
  }
  return reads;

  function subscript(node: (typeof tree)['top']): { name: string; required: boolean } | null {
    const [object, open, key] = children(node);
    if (object === undefined || open?.name !== '[' || dottedName(tree, object) !== 'os.environ') return null;
    // `os.environ["X"] = …` writes it.
    if (node.parent?.name === 'AssignStatement' && node.parent.firstChild?.from === node.from) return null;
    const name = literalText(tree, key);
    return name === undefined ? null : { name, required: true };
  }

  function call(node: (typeof tree)['top']): { name: string; required: boolean } | null {
    const callee = node.firstChild === null ? null : dottedName(tree, node.firstChild);
    if (callee !== 'os.environ.get' && callee !== 'os.getenv') return null;
    const { positional, keywords } = argumentsOf(tree, node);
    const name = literalText(tree, positional[0] ?? keywords.get('key'));
    // Without a default the code handles None, or uses `or`: it is not known to be needed.
    return name === undefined ? null : { name, required: false };
  }
}
