import { describe, expect, it } from 'vitest';
import { resolvePlainScalar } from '../../../src/discovery/yaml/plain-scalar.ts';

describe('C3: an unquoted word, as PyYAML reads it', () => {
  it.each([
    ['yes', true],
    ['Yes', true],
    ['ON', true],
    ['true', true],
    ['no', false],
    ['off', false],
    ['FALSE', false],
    ['y', 'y'],
    ['yEs', 'yEs'],
    ['~', null],
    ['', null],
    ['Null', null],
    ['none', 'none'],
    ['12', 12],
    ['-3', -3],
    ['+3', 3],
    ['1_000', 1000],
    ['010', 8],
    ['0x1F', 31],
    ['0b101', 5],
    ['08', '08'],
    ['1.10', 1.1],
    ['.5', 0.5],
    ['1e3', 1000],
    ['.inf', Number.POSITIVE_INFINITY],
    ['-.INF', Number.NEGATIVE_INFINITY],
    ['.NaN', Number.NaN],
    ['2024-01-01', '2024-01-01'],
    ['12:30', '12:30'],
    ['1.2.3', '1.2.3'],
    ['-', '-'],
    ['@daily', '@daily'],
  ])('%j is %j', (text, value) => {
    expect(resolvePlainScalar(text)).toBe(value);
  });
});
