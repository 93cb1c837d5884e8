import { ansiSpans } from '../../lib/ansi.ts';

/** A log line in its colours, with what was searched for marked. Text only. */
export function AnsiText({ text, mark = '' }: { text: string; mark?: string }) {
  return (
    <>
      {ansiSpans(text).map((span, index) => (
        <span key={index} class={span.className === '' ? undefined : span.className}>
          {mark === '' ? span.text : <Marked text={span.text} mark={mark} />}
        </span>
      ))}
    </>
  );
}

function Marked({ text, mark }: { text: string; mark: string }) {
  const parts: (string | { readonly hit: string })[] = [];
  const lower = text.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(mark); at !== -1; at = lower.indexOf(mark, from)) {
    parts.push(text.slice(from, at), { hit: text.slice(at, at + mark.length) });
    from = at + mark.length;
  }
  parts.push(text.slice(from));
  return (
    <>{parts.map((part, index) => (typeof part === 'string' ? part : <mark key={index}>{part.hit}</mark>))}</>
  );
}
