import type { AlertMessage, MessageLine } from './alert-message.ts';

/** Limits of Slack's blocks, in characters. */
const LONGEST_HEADER = 150;
const LONGEST_SECTION = 3000;
const LONGEST_CAUSE = 600;

/**
 * The body of an incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks. `text` is
 * what a notification shows. Texts of users are inert: what Slack gives a meaning is escaped, mentions too.
 */
export function slackBody(message: AlertMessage, isRepeat: boolean): Readonly<Record<string, unknown>> {
  const sign = message.isGood
    ? ':large_green_circle:'
    : message.severity === 'ERROR'
      ? ':red_circle:'
      : ':large_yellow_circle:';
  const footer = [
    `<${message.url}|Open the page>`,
    escaped(message.footer),
    ...(isRepeat ? ['This may be a repeat: the service ended while it was being sent'] : []),
  ].join(' · ');
  return {
    text: escaped(message.title),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      {
        type: 'header',
        text: { type: 'plain_text', emoji: true, text: cut(`${sign} ${message.title}`, LONGEST_HEADER) },
      },
      ...message.lines.map((line) => section(lineText(line))),
      ...(message.more > 0 ? [section(`and ${message.more} more`)] : []),
      { type: 'context', elements: [{ type: 'mrkdwn', text: cut(footer, LONGEST_SECTION) }] },
    ],
  };
}

function section(text: string): object {
  return { type: 'section', text: { type: 'mrkdwn', text: cut(text, LONGEST_SECTION) } };
}

function lineText({ what, detail, cause, url, commit }: MessageLine): string {
  const sha = commit === null ? '' : commit.sha.slice(0, 7);
  const at = commit === null ? '' : commit.url === null ? ` at ${sha}` : ` at <${commit.url}|${sha}>`;
  const name = cut(what, 200);
  return `*<${url}|${linkText(name)}>*${detail === '' ? '' : ` ${escaped(cut(detail, 300))}`}${at}\n${code(cause)}`;
}

/** https://docs.slack.dev/messaging/formatting-message-text: these three are all that has to be escaped. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** In bold and in a link: signs of formatting would end them. */
function linkText(text: string): string {
  return escaped(text.replaceAll('|', '¦').replaceAll('*', '∗').replaceAll('`', 'ˋ'));
}

function code(text: string): string {
  return `\`${escaped(cut(text.replaceAll('`', 'ˋ'), LONGEST_CAUSE)) || ' '}\``;
}

/** Never in the middle of an escape. */
function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).replace(/&[a-z]{0,3}$/, '')}…`;
}
