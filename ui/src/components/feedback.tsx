import type { ComponentChildren } from 'preact';
import type { ApiError } from '../api/problem.ts';
import { Icon, type IconName } from './icon.tsx';

/** What is true, and what to do next. */
export function Empty({
  icon,
  title,
  children,
}: {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={22} />
      </span>
      <p class="empty-title">{title}</p>
      {children !== undefined && <div class="empty-text">{children}</div>}
    </div>
  );
}

/** Rows of the size that the content will have; appears only when the wait is felt (150 ms, by the style sheet). */
export function Skeleton({ rows = 6, height = 44 }: { rows?: number; height?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} class="skeleton-row" style={{ height: `${height}px` }}>
          <span class="bone" style={{ width: `${28 + ((row * 37) % 30)}%` }} />
          <span class="bone" style={{ width: `${10 + ((row * 23) % 14)}%` }} />
        </div>
      ))}
    </div>
  );
}

export function ErrorCard({
  what,
  error,
  retry,
}: {
  what: string;
  error: ApiError;
  retry: () => Promise<void>;
}) {
  return (
    <div class="card notice tone-bad" role="alert">
      <div class="notice-body">
        <p class="notice-title">{what}</p>
        <p>
          {error.message} {error.hint}
        </p>
        <p class="faint mono">{error.code}</p>
      </div>
      {error.status === 401 ? (
        <a class="button" href={`/login?next=${encodeURIComponent(location.pathname + location.search)}`}>
          Sign in
        </a>
      ) : (
        <button type="button" class="button" onClick={() => void retry()}>
          <Icon name="refresh" /> Try again
        </button>
      )}
    </div>
  );
}
