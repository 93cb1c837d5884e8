import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A CSV file over HTTP whose answers can be held in the middle, or be refused. */
export interface StallingServer {
  readonly url: string;
  /** The next answer but one stops after half of the rows: Sling looks at the first lines before it reads them all. */
  stall(): void;
  /** The next `count` requests are refused. */
  refuse(count: number): void;
  /** Resolves when an answer stands still. */
  stalled(): Promise<void>;
  /** Lets it go on. */
  release(): void;
  close(): Promise<void>;
}

export async function startStallingServer(rows: readonly number[]): Promise<StallingServer> {
  const half = rows.slice(0, rows.length / 2);
  const lines = (ids: readonly number[]): string => ids.map((id) => `${id},name ${id}\n`).join('');
  let untilStall: number | null = null;
  let refused = 0;
  let waiting: ServerResponse | null = null;
  let told = Promise.withResolvers<void>();

  const server = createServer((_request, response) => {
    if (refused > 0) {
      refused -= 1;
      response.writeHead(500).end('the source is down');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/csv' });
    response.write(`id,name\n${lines(half)}`);
    if (untilStall !== null) untilStall -= 1;
    if (untilStall === 0) {
      untilStall = null;
      waiting = response;
      told.resolve();
    } else {
      response.end(lines(rows.slice(half.length)));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/rows.csv`,
    stall() {
      untilStall = 2;
      told = Promise.withResolvers();
    },
    refuse(count) {
      refused = count;
    },
    stalled: () => told.promise,
    release() {
      waiting?.end(lines(rows.slice(half.length)));
      waiting = null;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
