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

it('has nothing to say about nothing', () => {
  expect(parseErrorText('\n \n', [])).toBeNull();
});
