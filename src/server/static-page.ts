import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ERROR_DOCS_PATH, handleNotFound, pathOf } from './problem.ts';
import { contentSecurityPolicy } from './security-headers.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};
/** As Vite names what never changes: `index-B5Qt9EMX.js`. */
const HASHED = /-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;
const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Paths that people's fingers know from Dagster (`ui.md` §5). */
const REDIRECTS: readonly (readonly [RegExp, string])[] = [
  [/^\/asset-groups(?:\/|$)/, '/lineage'],
  [/^\/overview(?:\/|$)/, '/'],
  [/^\/locations(?:\/|$)/, '/git'],
];
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

interface PageFile {
  readonly name: string;
  readonly type: string;
  readonly cache: string;
  /** Content encoding → file beside it. */
  readonly encodings: ReadonlyMap<string, string>;
}

/**
 * The built page: files as they lie in `uiDir` (precompressed ones by `Accept-Encoding`), `index.html` for every path of
 * the page. Only files of the list are known, so no path leads out of the folder;
 * the list is made anew when the page was built anew under the service.
 */
export function staticPage(app: FastifyInstance, options: { uiDir: string | null; root: string }): void {
  const { uiDir, root } = options;
  let built: Built | null = null;

  /** Of the page as it lies there now. */
  function current(): Built | null {
    const stamp = uiDir === null ? null : modifiedAt(join(uiDir, 'index.html'));
    if (uiDir === null || stamp === null) return null;
    if (built?.stamp !== stamp) {
      built = { stamp, files: filesOf(uiDir), policy: policyOf(join(uiDir, 'index.html')) };
    }
    return built;
  }

  app.get(ERROR_DOCS_PATH, { schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send(await readFile(join(root, 'docs', 'errors.md'))),
  );

  app.setNotFoundHandler(async (request, reply) => {
    const path = pathOf(request.url);
    if ((request.method !== 'GET' && request.method !== 'HEAD') || path.startsWith('/api/')) {
      return handleNotFound(request, reply);
    }
    const redirect = REDIRECTS.find(([pattern]) => pattern.test(path));
    if (redirect !== undefined) return reply.redirect(redirect[1], 302);
    const page = current();
    const index = page?.files.get('/index.html');
    const file = page?.files.get(path);
    if (file !== undefined && file !== index) return sendFile(request, reply, file);
    if (!(request.headers.accept ?? '').includes('text/html') && path !== '/')
      return handleNotFound(request, reply);
    if (page === null || index === undefined) return notBuilt(reply);
    reply.header('content-security-policy', await page.policy);
    return sendFile(request, reply, index);
  });

  async function sendFile(
    request: FastifyRequest,
    reply: FastifyReply,
    file: PageFile,
  ): Promise<FastifyReply> {
    const accepted = acceptedEncodings(request.headers['accept-encoding']);
    const chosen = ENCODINGS.find(
      ([encoding]) => accepted.has(encoding) && file.encodings.has(encoding),
    )?.[0];
    const name = chosen === undefined ? file.name : file.encodings.get(chosen)!;
    const bytes = await readFile(join(uiDir!, name));
    const tag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    reply.headers({ 'cache-control': file.cache, vary: 'accept-encoding', etag: tag });
    if (request.headers['if-none-match'] === tag) return reply.code(304).send();
    if (chosen !== undefined) reply.header('content-encoding', chosen);
    return reply.type(file.type).send(bytes);
  }
}

interface Built {
  /** Of `index.html`: a build renames a whole folder into place. */
  readonly stamp: number;
  readonly files: ReadonlyMap<string, PageFile>;
  readonly policy: Promise<string>;
}

function modifiedAt(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

function filesOf(uiDir: string): Map<string, PageFile> {
  const names = new Set(
    readdirSync(uiDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(uiDir, join(entry.parentPath, entry.name)).split(sep).join('/')),
  );
  const files = new Map<string, PageFile>();
  for (const name of names) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    files.set(`/${name}`, {
      name,
      type,
      cache: HASHED.test(name) ? IMMUTABLE : 'no-cache',
      encodings: new Map(
        ENCODINGS.filter(([, suffix]) => names.has(name + suffix)).map(([encoding, suffix]) => [
          encoding,
          name + suffix,
        ]),
      ),
    });
  }
  return files;
}

/** Inline scripts and styles that the build put into `index.html` are allowed by their hash, nothing else inline is. */
async function policyOf(indexFile: string): Promise<string> {
  const html = await readFile(indexFile, 'utf8');
  return contentSecurityPolicy({
    scripts: hashes(html, /<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/gi),
    styles: hashes(html, /<style[^>]*>([\s\S]*?)<\/style>/gi),
  });
}

function hashes(html: string, pattern: RegExp): string[] {
  return [...html.matchAll(pattern)].map(
    (match) => `'sha256-${createHash('sha256').update(match[1]!).digest('base64')}'`,
  );
}

/** Encodings with a quality above 0. */
function acceptedEncodings(header: string | string[] | undefined): ReadonlySet<string> {
  const accepted = new Set<string>();
  for (const part of String(header ?? '').split(',')) {
    const [name = '', ...parameters] = part
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/);
    if (name !== '' && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))) accepted.add(name);
  }
  return accepted;
}

function notBuilt(reply: FastifyReply): FastifyReply {
  return reply
    .code(503)
    .type('text/plain; charset=utf-8')
    .send(
      'The page is not built: start with ./elt-dev, or run scripts/build-ui.sh. The API is at /api/v1.\n',
    );
}
