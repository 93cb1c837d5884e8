import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ERRORS } from '../../src/lib/errors.ts';
import { ERROR_DOCS_PATH } from '../../src/server/problem.ts';
import { ROOT, surface } from '../helpers/surface.ts';

const text = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
const sections = text.split(/^### /m).slice(1);

it('has a heading for each code of the catalogue, in no more and no less', () => {
  const headings = sections.map((section) => section.split('\n')[0]);
  expect(new Set(headings)).toEqual(new Set(Object.keys(ERRORS)));
  expect(headings).toHaveLength(new Set(headings).size);
});

it.each(sections.map((section) => [section.split('\n')[0]!, section]))(
  'says what to do: %s',
  (_code, section) => {
    const [, meaning = '', advice = ''] = section.split('\n\n');
    expect(meaning.length).toBeGreaterThan(20);
    expect(advice).toMatch(/^\*\*What to do\.\*\* \S.+/);
  },
);

it('is served where problem documents point', async () => {
  const { app } = await surface();
  const problem = (await app.inject({ url: '/api/v1/nothing' })).json<{ type: string }>();
  expect(problem.type).toBe(`${ERROR_DOCS_PATH}#not_found`);
  const docs = await app.inject({ url: ERROR_DOCS_PATH });
  expect(docs.body).toBe(text);
});
