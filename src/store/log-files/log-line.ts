import type { LogLine } from '../log-store.ts';

const STREAMS = { o: 'stdout', e: 'stderr', s: 'system' } as const;
const STORED = /^(\d+) ([oes]) ?(.*)$/s;

/**
 * One stored line, `<epoch ms> <o|e|s> <text>`. A line that is not of this form is shown whole, as the system's.
 * @param line its number, from 1
 */
export function parseLogLine(stored: string, line: number): LogLine {
  const match = STORED.exec(stored);
  if (match === null) return { line, at: 0, stream: 'system', text: stored };
  const [, at, stream, text] = match as unknown as [string, string, keyof typeof STREAMS, string];
  return { line, at: Number(at), stream: STREAMS[stream], text };
}
