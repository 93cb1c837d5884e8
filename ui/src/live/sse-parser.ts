export interface SseMessage {
  readonly event: string;
  readonly id: string | null;
  readonly data: string;
}

/**
 * Reads Server-Sent Events (WHATWG HTML, 9.2.6) from text that arrives in any pieces. Returns the messages that a
 * piece completes; comments (the heartbeat) give none.
 */
export function sseParser(): (piece: string) => SseMessage[] {
  let rest = '';
  let event = '';
  let id: string | null = null;
  let data: string[] = [];

  return (piece) => {
    const messages: SseMessage[] = [];
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const raw of lines) {
      const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
      if (line === '') {
        if (data.length > 0)
          messages.push({ event: event === '' ? 'message' : event, id, data: data.join('\n') });
        event = '';
        id = null;
        data = [];
        continue;
      }
      const colon = line.indexOf(':');
      const name = colon === -1 ? line : line.slice(0, colon);
      const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (name === 'event') event = value;
      else if (name === 'data') data.push(value);
      else if (name === 'id') id = value;
    }
    return messages;
  };
}
