import { expect, it } from 'vitest';
import { parseErrorText } from '../../../src/runners/parse/traceback.ts';

const TRACEBACK = `some warning
Traceback (most recent call last):
  File "/data/shop/main.py", line 7, in <module>
    load()
  File "/data/shop/lib/rows.py", line 3, in load
    rows["amount"]
  File "/env/lib/python3.11/site-packages/tool/x.py", line 99, in get
    raise KeyError(key)
KeyError: 'amount'
`;

it('takes message and the deepest frame of the user from a traceback', () => {
  expect(parseErrorText(TRACEBACK, ['/data/shop'])).toMatchObject({
    message: "KeyError: 'amount'",
    file: 'lib/rows.py',
    line: 3,
    isBusy: false,
  });
});

it('takes the exception that was raised last, with the first line of its message', () => {
  const text = `${TRACEBACK}\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File "main.py", line 9, in <module>\n    x()\nValueError: first line\nsecond line\n`;
  expect(parseErrorText(text, ['/data/shop'])).toMatchObject({
    message: 'ValueError: first line',
    file: 'main.py',
    line: 9,
  });
});

it.each([
  [
    'duckdb.IOException: IO Error: Could not set lock on file "/x.duckdb": Conflicting lock is held (PID 7)',
    true,
  ],
  ['sqlite3.OperationalError: database is locked', true],
  ['ValueError: no such table', false],
])('sees a locked database file: %s', (text, isBusy) => {
  expect(parseErrorText(text, [])).toEqual({ message: text, isBusy });
});

it.each([
  [
    'a variable that is not there',
    'File "<frozen os>", line 679, in __getitem__',
    "KeyError: 'SHOP_KEY'",
    `KeyError: 'SHOP_KEY': the step has no such variable; add the line SHOP_KEY=<value> to .env, and SHOP_KEY: "\${SHOP_KEY}" to env: in dagster.yaml`,
  ],
  [
    'a package that is not there',
    'File "main.py", line 1, in <module>',
    "ModuleNotFoundError: No module named 'pandas'",
    "ModuleNotFoundError: No module named 'pandas': add its package to requirements.txt of the folder",
  ],
])('says what to do about %s', (_name, frame, error, expected) => {
  const text = `Traceback (most recent call last):\n  ${frame}\n${error}\n`;
  expect(parseErrorText(text, [])?.message).toBe(expected);
});

it('has nothing to say about nothing', () => {
  expect(parseErrorText('\n \n', [])).toBeNull();
});
