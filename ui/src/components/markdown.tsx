import type { ComponentChild } from 'preact';
import { External } from './links.tsx';

/** Code, bold, italics, links: what a line of Markdown can hold. In this order, so that code keeps its asterisks. */
const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^)\s]+)\)/g;

/** Text that may hold Markdown, drawn as elements; never as HTML. */
export function Markdown({ text }: { text: string }) {
  const parts: ComponentChild[] = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    parts.push(text.slice(from, match.index), piece(match));
    from = match.index + match[0].length;
  }
  parts.push(text.slice(from));
  return <bdi>{parts}</bdi>;
}

function piece([whole, code, bold, italic, label, href]: RegExpExecArray): ComponentChild {
  if (code !== undefined) return <code>{code}</code>;
  if (bold !== undefined) return <strong>{bold}</strong>;
  if (italic !== undefined) return <em>{italic}</em>;
  if (label !== undefined && href !== undefined) return <External href={href}>{label}</External>;
  return whole;
}
