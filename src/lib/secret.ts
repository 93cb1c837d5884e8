const PASSWORD_IN_URL = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:)[^\s@/]+@/gi;
const MASK = '***';
const SHORTEST_SECRET = 6;

/**
 * Every text by which a secret can be met: itself, its lines, its URL-encoded and base64 forms; the longest first, so
 * that no masking of a part hides the rest. Secrets of less than 6 characters are left out.
 */
export function secretForms(secrets: Iterable<string>): readonly string[] {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < SHORTEST_SECRET) continue;
    forms.add(secret);
    forms.add(encodeURIComponent(secret));
    forms.add(Buffer.from(secret).toString('base64').replace(/=+$/, ''));
    for (const line of secret.split(/\r?\n/)) if (line.length >= SHORTEST_SECRET) forms.add(line);
  }
  return [...forms].sort((a, b) => b.length - a.length);
}

/** Builds a function that masks every form of the given secrets and the password of every `scheme://user:password@host`. */
export function createRedactor(secrets: Iterable<string>): (text: string) => string {
  const ordered = secretForms(secrets);
  return (text) => {
    let out = text;
    for (const form of ordered) out = out.replaceAll(form, MASK);
    return out.replace(PASSWORD_IN_URL, `$1${MASK}@`);
  };
}

/** Whether a variable's name says that its value is a secret; used for masking, never for deciding what is passed on. */
export function isSecretName(name: string): boolean {
  return /(KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|DSN|AUTH|CONNECTION_STRING)|(?<![A-Z])PASS(?!_ENV|[A-Z])|_PWD(?![A-Z])/i.test(
    name,
  );
}

/**
 * Whether the value of a variable with a secret's name only says where the secret lies (`GOOGLE_APPLICATION_CREDENTIALS`).
 * By the name too: a key in base64 can begin with a slash.
 */
export function isPathOfSecret(name: string, value: string): boolean {
  return value.startsWith('/') && /(FILE|PATH|DIR|DIRECTORY|CREDENTIALS)$/i.test(name);
}
