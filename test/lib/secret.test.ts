import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor, secretForms } from '../../src/lib/secret.ts';

const SECRET = 'p"l\'an\\ted/secret+ß! 42';

describe('a secret is masked as it is written', () => {
  it.each<[string, (secret: string) => string]>([
    ['plainly', (secret) => secret],
    ['in an address', encodeURIComponent],
    ['in an address, with its slashes', (secret) => encodeURIComponent(secret).replaceAll('%2F', '/')],
    ['in a form', (secret) => encodeURIComponent(secret).replaceAll('%20', '+')],
    ['in base64', (secret) => Buffer.from(secret).toString('base64')],
    ['in base64 for addresses', (secret) => Buffer.from(secret).toString('base64url')],
    ['in JSON', JSON.stringify],
    ['in JSON within JSON', (secret) => JSON.parse(JSON.stringify(JSON.stringify(secret))) as string],
  ])('%s', (_, write) => {
    const masked = createRedactor([SECRET])(`before ${write(SECRET)} after`);
    expect(masked).toMatch(/^before "?\*\*\*=*"? after$/);
  });

  it('as Python does', () => {
    const script = `
import base64, json, sys, urllib.parse
secret = sys.argv[1]
print(urllib.parse.quote(secret), urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret))
print(json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret))
for user in ("", "a", "ab", "abc"):
    print(base64.b64encode((user + ":" + secret).encode()).decode(), base64.urlsafe_b64encode((user + secret + "xy").encode()).decode())`;
    const printed = execFileSync('python3', ['-c', script, SECRET], { encoding: 'utf8' });
    const masked = createRedactor([SECRET])(printed);
    expect(masked.match(/\*\*\*/g)).toHaveLength(3 + 3 + 8);
    for (const word of masked.split(/\s+/)) expect(word.replaceAll('***', '').length).toBeLessThan(12);
    expect(masked).not.toContain('secret');
  });

  it('line by line', () => {
    const key = '-----BEGIN KEY-----\nabcdefgh\r\nijklmnop\n-----END KEY-----';
    const redact = createRedactor([key]);
    expect(redact('abcdefgh\nand ijklmnop')).toBe('***\nand ***');
    expect(redact(JSON.stringify({ key }))).toBe('{"key":"***"}');
  });
});

it('base64 within anything longer holds nothing of it that tells it', () => {
  const bytes = fc.uint8Array({ maxLength: 20 });
  const secrets = fc.string({ minLength: 8, maxLength: 30, unit: 'grapheme-ascii' });
  fc.assert(
    fc.property(bytes, secrets, bytes, (before, secret, after) => {
      const text = Buffer.concat([before, Buffer.from(secret), after]).toString('base64');
      const forms = secretForms([secret]);
      expect(forms.some((form) => text.includes(form))).toBe(true);
      const masked = createRedactor([secret])(text);
      // Signs that also depend on what stands beside it: at most one on each side.
      expect(masked.length).toBeLessThanOrEqual(
        Math.ceil((before.length + after.length) / 3) * 4 + '***'.length + 12,
      );
    }),
  );
});

it('leaves out what is too short to be one, and takes the longest first', () => {
  expect(secretForms(['short'])).toEqual([]);
  const forms = secretForms([SECRET]);
  expect(forms.map((form) => form.length)).toEqual(forms.map((form) => form.length).sort((a, b) => b - a));
});
