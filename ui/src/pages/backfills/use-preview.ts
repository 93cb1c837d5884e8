import { useEffect, useRef, useState } from 'preact/hooks';
import type { BackfillPreview, BackfillRequest } from '../../../../src/server/contract/backfill.ts';
import { post } from '../../api/client.ts';
import { type ApiError, toApiError } from '../../api/problem.ts';

export interface PreviewState {
  /** Of the newest request that was answered. */
  readonly preview: BackfillPreview | null;
  readonly error: ApiError | null;
  /** The newest request has no answer yet. */
  readonly busy: boolean;
}

/** Typing is not asked about letter by letter. */
const PAUSE_MS = 200;

/** What a request would do, asked of the service whenever it changes. Null: nothing to ask about yet. */
export function usePreview(request: BackfillRequest | null): PreviewState {
  const [state, setState] = useState<PreviewState>({ preview: null, error: null, busy: true });
  const newest = useRef(0);
  const text = request === null ? '' : JSON.stringify(request);
  useEffect(() => {
    newest.current += 1;
    const turn = newest.current;
    if (request === null) {
      setState({ preview: null, error: null, busy: false });
      return;
    }
    setState((old) => ({ ...old, busy: true }));
    const timer = window.setTimeout(() => {
      post<BackfillPreview>('/backfills', { ...request, dry_run: true }).then(
        (preview) => {
          if (turn === newest.current) setState({ preview, error: null, busy: false });
        },
        (error: unknown) => {
          if (turn === newest.current) setState({ preview: null, error: toApiError(error), busy: false });
        },
      );
    }, PAUSE_MS);
    return () => window.clearTimeout(timer);
  }, [text]);
  return state;
}
