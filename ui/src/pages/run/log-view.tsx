import type { Ref } from 'preact';
import { useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { clock } from '../../lib/format.ts';
import { query, setQuery } from '../../router.ts';
import { toast } from '../../state/toasts.ts';
import { AnsiText } from './ansi-text.tsx';
import type { LogBuffer } from './log-buffer.ts';
import { evenRows, LINE_PX, wrappedRows } from './log-rows.ts';
import { logInView, wantedMoment } from './shared-time.ts';

export interface LogViewHandle {
  readonly nextError: () => void;
  readonly toEnd: () => void;
}

interface Props {
  readonly handle: Ref<LogViewHandle>;
  readonly buffer: LogBuffer;
  readonly step: string;
  readonly attempt: number;
  /** Positions of the lines to show; null: all. */
  readonly shown: readonly number[] | null;
  readonly mark: string;
  readonly wrap: boolean;
  readonly startAtEnd: boolean;
  readonly follow: boolean;
}

const MARGIN_PX = 400;
/** What stands before the text of a line: its number and its time. */
const BEFORE_TEXT_PX = 160;

/**
 * A window on the log: only the lines in view are in the document, so 100,000 scroll as 10 do. While it stands at its
 * end it follows new lines; scrolled up it stays. `line` of the address names a line to stand at.
 */
export function LogView(props: Props) {
  const { buffer, step, attempt, shown, mark, wrap, startAtEnd, follow, handle } = props;
  const frame = useRef<HTMLDivElement>(null);
  const asked = Number(query('line'));
  const atEnd = useRef(startAtEnd && !(asked > 0));
  const arrived = useRef(false);
  const [scroll, setScroll] = useState({ top: 0, height: 420, width: 900 });
  const [current, setCurrent] = useState(-1);
  // Whoever waits for the end of a long log sees it before the rest is there.
  const early = buffer.early.value;
  const isEarly = shown === null && early.length > 0 && atEnd.current;
  const known = isEarly ? early : buffer.lines;
  const number = isEarly ? early.length : (shown?.length ?? buffer.length.value);
  const width = scroll.width - BEFORE_TEXT_PX;
  const rows = useMemo(
    () => (wrap ? wrappedRows(known, shown, number, width) : evenRows(number)),
    [wrap, known, shown, number, wrap ? width : 0],
  );

  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const measure = (): void =>
      setScroll({ top: element.scrollTop, height: element.clientHeight, width: element.clientWidth });
    const onScroll = (): void => {
      atEnd.current = element.scrollTop + element.clientHeight >= element.scrollHeight - LINE_PX * 2;
      measure();
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', onScroll);
      logInView.value = null;
    };
  }, []);
  useLayoutEffect(() => {
    const element = frame.current;
    if (element !== null && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [number, wrap]);
  // What is searched for starts at its first hit.
  useEffect(() => {
    if (shown !== null && frame.current !== null) frame.current.scrollTop = 0;
  }, [shown === null, mark]);

  const jump = (at: number): void => {
    const element = frame.current;
    const row = shown === null ? at : shown.indexOf(at);
    if (element === null || row === -1) return;
    atEnd.current = false;
    element.scrollTop = Math.max(0, rows.top(row) - element.clientHeight / 3);
    setCurrent(at);
  };
  // Once the line that the address names has been read.
  useEffect(() => {
    if (arrived.current || !(asked > 0) || buffer.lines.length < asked) return;
    arrived.current = true;
    jump(asked - 1);
  }, [number, asked]);
  const moment = wantedMoment.value;
  useEffect(() => {
    if (moment === null || moment.step !== step || moment.attempt !== attempt || !buffer.caughtUp.value)
      return;
    wantedMoment.value = null;
    jump(lineAt(buffer, moment.at));
  }, [moment, buffer.caughtUp.value]);
  useImperativeHandle(handle, () => ({
    nextError() {
      const next = buffer.errors.find((at) => at > current) ?? buffer.errors[0];
      if (next === undefined) return;
      jump(next);
      frame.current?.focus({ preventScroll: true });
    },
    toEnd() {
      atEnd.current = true;
      if (frame.current !== null) frame.current.scrollTop = frame.current.scrollHeight;
    },
  }));
  const lineOf = (row: number) => known[shown === null ? row : (shown[row] ?? 0)];
  useEffect(() => {
    const [top, bottom] = [
      lineOf(rows.at(scroll.top)),
      lineOf(rows.at(scroll.top + scroll.height - LINE_PX)),
    ];
    if (top === undefined || bottom === undefined) return;
    const [from, to] = [Date.parse(top.at), Date.parse(bottom.at)];
    const before = logInView.peek();
    if (before?.from !== from || before.to !== to) logInView.value = { from, to };
  });

  const first = number === 0 ? 0 : rows.at(Math.max(0, scroll.top - MARGIN_PX));
  const last = number === 0 ? 0 : rows.at(scroll.top + scroll.height + MARGIN_PX) + 1;
  const lines = [];
  for (let row = first; row < last; row += 1) {
    const at = shown === null ? row : (shown[row] ?? 0);
    const line = known[at];
    if (line === undefined) continue;
    lines.push(
      <div
        key={line.line}
        class={`log-line log-${line.stream}${at === current && !isEarly ? ' current' : ''}`}
        style={wrap ? { height: `${rows.top(row + 1) - rows.top(row)}px` } : undefined}
      >
        <a
          class="log-number"
          href={lineHref(step, attempt, line.line)}
          tabIndex={-1}
          title="Copy the link to this line"
          onClick={(event) => {
            event.preventDefault();
            void copyLine(step, attempt, line.line);
            setCurrent(at);
          }}
        >
          {line.line}
        </a>
        <span class="log-time">{clock(Date.parse(line.at), true)}</span>
        <span class="log-text">
          <AnsiText text={line.text} mark={mark} />
        </span>
      </div>,
    );
  }
  return (
    <div
      ref={frame}
      class={wrap ? 'log is-wrapped' : 'log'}
      role="log"
      aria-live="off"
      aria-label="Log"
      tabIndex={0}
      style={{ height: `${Math.min(520, Math.max(120, rows.height + 24))}px` }}
    >
      <div class="log-space" style={{ height: `${rows.height}px` }}>
        <div class="log-lines" style={{ transform: `translateY(${rows.top(first)}px)` }}>
          {lines}
        </div>
      </div>
      {number === 0 && buffer.caughtUp.value && (
        <p class="faint log-none">
          {shown !== null ? 'No line has it.' : follow ? 'No line yet.' : 'It wrote nothing.'}
        </p>
      )}
    </div>
  );
}

/** The last line that was written at a moment or before. */
function lineAt({ lines }: LogBuffer, at: number): number {
  let low = 0;
  let high = Math.max(0, lines.length - 1);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (Date.parse(lines[middle]?.at ?? '') <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

function lineHref(step: string, attempt: number, line: number): string {
  return `?step=${encodeURIComponent(step)}&attempt=${attempt}&line=${line}`;
}

async function copyLine(step: string, attempt: number, line: number): Promise<void> {
  setQuery({ step, attempt: String(attempt), line: String(line) });
  try {
    await navigator.clipboard.writeText(location.href);
    toast('ok', `Link to line ${line} copied`);
  } catch {
    toast('bad', 'The browser does not allow copying', { detail: location.href });
  }
}
