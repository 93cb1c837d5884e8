import type { Ref } from 'preact';
import { useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { clock } from '../../lib/format.ts';
import { AnsiText } from './ansi-text.tsx';
import type { LogBuffer } from './log-buffer.ts';

export interface LogViewHandle {
  readonly nextError: () => void;
  readonly toEnd: () => void;
}

interface Props {
  readonly handle: Ref<LogViewHandle>;
  readonly buffer: LogBuffer;
  /** Positions of the lines to show; null: all. */
  readonly shown: readonly number[] | null;
  readonly mark: string;
  readonly startAtEnd: boolean;
  readonly follow: boolean;
}

/** Height of a line in the style sheet. */
const LINE_PX = 19;
const MARGIN_LINES = 20;

/**
 * A window on the log: only the lines in view are in the document, so 100,000 scroll as 10 do. While it stands at its
 * end it follows new lines; scrolled up it stays.
 */
export function LogView({ buffer, shown, mark, startAtEnd, follow, handle }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const atEnd = useRef(startAtEnd);
  const [scroll, setScroll] = useState({ top: 0, height: 420 });
  const [current, setCurrent] = useState(-1);
  const number = shown?.length ?? buffer.length.value;

  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const measure = (): void => setScroll({ top: element.scrollTop, height: element.clientHeight });
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
    };
  }, []);
  useLayoutEffect(() => {
    const element = frame.current;
    if (element !== null && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [number]);
  // What is searched for starts at its first hit.
  useEffect(() => {
    if (shown !== null && frame.current !== null) frame.current.scrollTop = 0;
  }, [shown === null, mark]);

  const jump = (row: number): void => {
    const element = frame.current;
    if (element === null) return;
    atEnd.current = false;
    element.scrollTop = Math.max(0, row * LINE_PX - element.clientHeight / 3);
    element.focus({ preventScroll: true });
  };
  useImperativeHandle(handle, () => ({
    nextError() {
      const next = buffer.errors.find((at) => at > current) ?? buffer.errors[0];
      if (next === undefined) return;
      setCurrent(next);
      const row = shown === null ? next : shown.indexOf(next);
      if (row !== -1) jump(row);
    },
    toEnd() {
      atEnd.current = true;
      if (frame.current !== null) frame.current.scrollTop = frame.current.scrollHeight;
    },
  }));

  const first = Math.max(0, Math.floor(scroll.top / LINE_PX) - MARGIN_LINES);
  const last = Math.min(number, Math.ceil((scroll.top + scroll.height) / LINE_PX) + MARGIN_LINES);
  const rows = [];
  for (let row = first; row < last; row += 1) {
    const at = shown === null ? row : (shown[row] ?? 0);
    const line = buffer.lines[at];
    if (line === undefined) continue;
    rows.push(
      <div key={at} class={`log-line log-${line.stream}${at === current ? ' current' : ''}`}>
        <span class="log-number">{line.line}</span>
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
      class="log"
      role="log"
      aria-live="off"
      aria-label="Log"
      tabIndex={0}
      style={{ height: `${Math.min(520, Math.max(120, number * LINE_PX + 24))}px` }}
    >
      <div class="log-space" style={{ height: `${number * LINE_PX}px` }}>
        <div class="log-lines" style={{ transform: `translateY(${first * LINE_PX}px)` }}>
          {rows}
        </div>
      </div>
      {number === 0 && buffer.caughtUp.value && (
        <p class="faint log-none">{follow ? 'No line yet.' : 'It wrote nothing.'}</p>
      )}
    </div>
  );
}
