import type { AlertMessage, MessageLine } from './alert-message.ts';

export interface EmailBody {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const LONGEST_SUBJECT = 180;

/** A mail in plain text and as HTML. Nothing of a user ends a header or becomes a tag. */
export function emailBody(message: AlertMessage): EmailBody {
  const mark = message.isGood ? 'OK' : message.severity;
  return {
    subject: oneLine(`[elt] ${mark}: ${message.title}`).slice(0, LONGEST_SUBJECT),
    text: textOf(message),
    html: htmlOf(message),
  };
}

function textOf({ title, lines, more, url, footer }: AlertMessage): string {
  return [
    title,
    '',
    ...lines.flatMap((line) => [
      `- ${line.what}${line.detail === '' ? '' : ` (${line.detail})`}`,
      `  ${line.cause}`,
      `  ${line.url}`,
      ...(line.commit === null
        ? []
        : [`  commit ${line.commit.sha}${line.commit.url === null ? '' : ` ${line.commit.url}`}`]),
    ]),
    ...(more > 0 ? [`- and ${more} more`] : []),
    '',
    url,
    '-- ',
    footer,
    '',
  ].join('\n');
}

function htmlOf({ title, lines, more, url, footer, isGood, severity }: AlertMessage): string {
  const color = isGood ? '#1a7f37' : severity === 'ERROR' ? '#c0262d' : '#8a6100';
  return [
    '<!doctype html><html><body style="font:14px/1.5 system-ui,sans-serif;color:#1f2328;margin:16px">',
    `<h2 style="font-size:17px;margin:0 0 12px;color:${color}">${escaped(title)}</h2>`,
    ...lines.map(htmlLine),
    more > 0 ? `<p>and ${more} more</p>` : '',
    `<p><a href="${escaped(url)}">Open the page</a></p>`,
    `<p style="color:#59636e;font-size:12px">${escaped(footer)}</p>`,
    '</body></html>',
  ].join('\n');
}

function htmlLine({ what, detail, cause, url, commit }: MessageLine): string {
  const sha = commit === null ? '' : escaped(commit.sha.slice(0, 7));
  const at =
    commit === null
      ? ''
      : commit.url === null
        ? ` at <code>${sha}</code>`
        : ` at <a href="${escaped(commit.url)}"><code>${sha}</code></a>`;
  return `<p style="margin:0 0 12px"><a href="${escaped(url)}"><b>${escaped(what)}</b></a> ${escaped(detail)}${at}<br><code style="white-space:pre-wrap">${escaped(cause)}</code></p>`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
}
