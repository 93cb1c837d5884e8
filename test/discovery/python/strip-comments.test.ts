import { describe, expect, it } from 'vitest';
import { stripPythonComments } from '../../../src/discovery/python/strip-comments.ts';

describe('code without its comments', () => {
  it.each([
    ['x = 1  # one\n', 'x = 1\n'],
    ['# first\nx = 1\n', 'x = 1\n'],
    ['if a:\n    # why\n    b()\n# end', 'if a:\n    b()\n'],
    ['x = "a # b"\n', 'x = "a # b"\n'],
    ["x = 'it\\'s # no'  # yes\n", "x = 'it\\'s # no'\n"],
    ['"""# doc\n# still\n"""\n', '"""# doc\n# still\n"""\n'],
    ['x = """a""" # b', 'x = """a"""'],
    ['x = 1\n', 'x = 1\n'],
    ['', ''],
  ])('%j is %j', (code, stripped) => {
    expect(stripPythonComments(code)).toBe(stripped);
  });
});
