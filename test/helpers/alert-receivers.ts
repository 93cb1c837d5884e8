import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { onTestFinished } from 'vitest';

export interface ReceivedPost {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

/** How a receiver answers a POST. */
export type HookAnswer = (response: ServerResponse, nth: number) => void;

export interface Hook {
  readonly url: string;
  readonly posts: readonly ReceivedPost[];
  /** Default: as Slack does, 200 `ok`. */
  answer: HookAnswer;
  /** Resolves when so many POSTs have come. */
  received(count: number): Promise<void>;
}

/** What Slack's incoming webhooks answer. */
export const OK: HookAnswer = (response) => void response.end('ok');
export const status =
  (code: number, body = '', headers: Record<string, string> = {}): HookAnswer =>
  (response) =>
    void response.writeHead(code, headers).end(body);
/** Takes the request and never answers. */
export const HANG: HookAnswer = () => undefined;
/** An answer without end. */
export const FLOOD: HookAnswer = (response) => {
  response.writeHead(200);
  const more = (): void => {
    while (response.writable && response.write('x'.repeat(65_536)));
  };
  response.on('drain', more);
  more();
};

/** A local endpoint of the shape of Slack's, or of any webhook's; closed when the test ends. */
export async function startHook(): Promise<Hook> {
  const posts: ReceivedPost[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const text = Buffer.concat(pieces).toString();
      const json = JSON.parse(text) as Record<string, unknown>;
      posts.push({ path: request.url ?? '', headers: request.headers, text, json });
      hook.answer(response, posts.length);
      for (const one of waiting) if (posts.length >= one.count) one.resolve();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const hook: Hook = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posts,
    answer: OK,
    received: (count) =>
      new Promise((resolve) => {
        waiting.push({ count, resolve });
        if (posts.length >= count) resolve();
      }),
  };
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return hook;
}

export interface MailServer {
  /** `smtp://…`, with the user and password that it takes. */
  readonly url: string;
  /** Raw messages, as they came over the wire. */
  readonly mails: readonly { readonly to: readonly string[]; readonly raw: string }[];
  /** Answers the next RCPT with this code. */
  refuse: { readonly code: number; readonly message: string } | null;
}

/** A real SMTP server on this machine; closed when the test ends. */
export async function startMailServer(): Promise<MailServer> {
  const mails: { to: string[]; raw: string }[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: (auth, _session, done) =>
      auth.username === 'elt' && auth.password === 'swordfish/1'
        ? done(null, { user: 'elt' })
        : done(new Error('535 wrong user or password')),
    onRcptTo: (_address, _session, done) => {
      const { refuse } = mail;
      if (refuse === null) done();
      else done(Object.assign(new Error(refuse.message), { responseCode: refuse.code }));
    },
    onData(stream, session, done) {
      const pieces: Buffer[] = [];
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push({ to, raw: Buffer.concat(pieces).toString() });
        done();
      });
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  const mail: MailServer = { url: `smtp://elt:swordfish%2F1@127.0.0.1:${port}`, mails, refuse: null };
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
      }),
  );
  return mail;
}
