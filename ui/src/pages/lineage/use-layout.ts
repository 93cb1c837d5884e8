import { useEffect, useState } from 'preact/hooks';
import type { Graph } from './graph.ts';
import { layout, type Placed } from './layout.ts';

export interface LayoutState {
  readonly placed: Placed | null;
  /** Which graph `placed` belongs to. */
  readonly graph: Graph | null;
  /** The layout takes longer than a second: it may be ended. */
  readonly slow: boolean;
  readonly cancel: () => void;
}

const SLOW_MS = 1_000;

/** The places of a graph; while a new graph is being laid out the old picture stays. */
export function useLayout(graph: Graph): LayoutState {
  const shape = `${graph.nodes.map(({ id }) => id).join('\u0001')}\u0002${graph.edges.flat().join('\u0001')}`;
  const [state, setState] = useState<{ placed: Placed | null; graph: Graph | null; slow: boolean }>({
    placed: null,
    graph: null,
    slow: false,
  });
  const [controller, setController] = useState<AbortController | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    let gone = false;
    setController(abort);
    const timer = setTimeout(() => setState((old) => ({ ...old, slow: true })), SLOW_MS);
    void layout(graph, abort.signal).then((placed) => {
      clearTimeout(timer);
      if (!gone) setState({ placed, graph, slow: false });
    });
    return () => {
      gone = true;
      clearTimeout(timer);
      abort.abort();
    };
    // The shape alone decides: a changed state of an asset moves nothing.
  }, [shape]);
  return { ...state, cancel: () => controller?.abort() };
}
