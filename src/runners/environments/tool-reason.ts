import { stripVTControlCharacters } from 'node:util';
import { createRedactor } from '../../lib/secret.ts';

const LONGEST = 1_000;
const redact = createRedactor([]);

/**
 * What a package tool said on stderr, as one readable line: boxes, colours, progress and passwords in URLs removed.
 * uv prints its reason as a tree (`× No solution found …`, `╰─▶ Because …`) or as `error: … Caused by: …`.
 */
export function toolReason(stderr: string): string {
  const lines = stripVTControlCharacters(stderr)
    .split(/\r?\n/)
    .map((line) => line.replace(/^[\s×│├╰─▶]+/, '').trim())
    .filter(
      (line) =>
        line !== '' &&
        !/^(Resolved|Prepared|Installed|Downloading|Downloaded|Using|Creating|Activate|warning:)\b/.test(
          line,
        ),
    );
  const start = lines.findIndex((line) => /^(error|ERROR)\b|^No solution|^Failed|failed\b/.test(line));
  const text = redact(lines.slice(Math.max(start, 0)).join(' ')).replace(/^error:\s*/i, '');
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** Whether the reason is the network's, so that trying again later may help. */
export function isNetworkReason(reason: string): boolean {
  return /dns error|failed to lookup|Failed to fetch|error sending request|connection (refused|reset|closed)|timed? ?out|Temporary failure|HTTP status (server error|client error \(429)|Name or service not known|network/i.test(
    reason,
  );
}
