import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Empty, Skeleton } from './feedback.tsx';

const loaded = new Map<string, ComponentType<never>>();

/** A page in a file of its own: loaded when first shown, at once afterwards. */
export function Lazy<P extends object>({
  load,
  props,
  name,
}: {
  load: () => Promise<ComponentType<P>>;
  props: P;
  name?: string;
}) {
  const cacheKey = name ?? load.toString();
  const [Shown, setShown] = useState<ComponentType<P> | null>(
    () => (loaded.get(cacheKey) as ComponentType<P> | undefined) ?? null,
  );
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (Shown !== null) return;
    let gone = false;
    load().then(
      (component) => {
        loaded.set(cacheKey, component as ComponentType<never>);
        if (!gone) setShown(() => component);
      },
      () => !gone && setFailed(true),
    );
    return () => {
      gone = true;
    };
  }, []);
  if (failed) {
    return (
      <Empty icon="refresh" title="This part of the page could not be loaded">
        The service is away, or it has a new version.{' '}
        <a href={location.href} target="_self">
          Load the page again
        </a>
      </Empty>
    );
  }
  if (Shown === null) return <Skeleton rows={4} />;
  return <Shown {...props} />;
}
