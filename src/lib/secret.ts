const PASSWORD_IN_URL = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:)[^\s@/]+@/gi;
const MASK = '***';
const SHORTEST_SECRET = 6;

/**
 * Builds a function that masks every given secret (of 6 characters or more; also its URL-encoded and base64 forms)
 * and the password of every `scheme://user:password@host`.
 */
export function createRedactor(secrets: Iterable<string>): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < SHORTEST_SECRET) continue;
    forms.add(secret);
    forms.add(encodeURIComponent(secret));
    forms.add(Buffer.from(secret).toString('base64').replace(/=+$/, ''));
    for (const line of secret.split(/\r?\n/)) if (line.length >= SHORTEST_SECRET) forms.add(line);
  }
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => {
    let out = text;
    for (const form of ordered) out = out.replaceAll(form, MASK);
    return out.replace(PASSWORD_IN_URL, `$1${MASK}@`);
  };
}

/** Whether a variable's name says that its value is a secret; used for masking, never for deciding what is passed on. */
export function isSecretName(name: string): boolean {
  return /(KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|DSN|AUTH)/i.test(name);
}
