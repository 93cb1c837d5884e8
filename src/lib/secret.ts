const PASSWORD_IN_URL = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:)[^\s@/]+@/gi;
/** The path is the key: whoever has it may write into the channel. */
const SLACK_HOOK = /(https:\/\/hooks\.slack(?:-gov)?\.com\/)[^\s"'<>]+/gi;
const MASK = '***';
const SHORTEST_SECRET = 6;

/**
 * Every text by which a secret can be met: itself, its lines, and as it is written in an address, in base64 (alone or within
 * more, as in a header of user and password), in JSON and by Python; the longest first, so that no masking of a part hides
 * the rest. Secrets of less than 6 characters are left out.
 */
export function secretForms(secrets: Iterable<string>): readonly string[] {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < SHORTEST_SECRET) continue;
    const written = [
      secret,
      ...inAddress(secret),
      ...inBase64(secret),
      ...inQuotes(secret),
      ...secret.split(/\r?\n/),
    ];
    for (const form of written) if (form.length >= SHORTEST_SECRET) forms.add(form);
  }
  return [...forms].sort((a, b) => b.length - a.length);
}

/** As browsers write it, as Python does (which escapes more, and leaves slashes), as forms do. */
function inAddress(secret: string): string[] {
  // Half of a pair of surrogates cannot be written in an address.
  const plain = encodeURIComponent(secret.toWellFormed());
  const strict = plain.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  return [plain, strict].flatMap((text) => [text, text.replaceAll('%2F', '/'), text.replaceAll('%20', '+')]);
}

/** Whole, and those signs of it that do not depend on what stands before and after. */
function inBase64(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const inner = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  return [bytes.toString('base64').replace(/=+$/, ''), ...inner].flatMap((text) => [
    text,
    text.replaceAll('+', '-').replaceAll('/', '_'),
  ]);
}

/** As JSON has it, with and without letters beyond ASCII; as Python shows a text. */
function inQuotes(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const ascii = json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const shown = secret.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return [json, ascii, shown, shown.replaceAll("'", "\\'")];
}

/**
 * Builds a function that masks every form of the given secrets; the password of every
 * `scheme://user:password@host`, and the key in the address of a Slack webhook.
 */
export function createRedactor(secrets: Iterable<string>): (text: string) => string {
  const ordered = secretForms(secrets);
  return (text) => {
    let out = text;
    for (const form of ordered) out = out.replaceAll(form, MASK);
    return out.replace(PASSWORD_IN_URL, `$1${MASK}@`).replace(SLACK_HOOK, `$1${MASK}`);
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
