import type { ComponentChildren } from 'preact';
import type { Resource } from '../state/resource.ts';
import { ErrorCard, Skeleton } from './feedback.tsx';

/** The content once it is there; data that is old because the service is away stays (the header says so). */
export function Load<T>({
  from,
  what,
  skeleton,
  children,
}: {
  from: Resource<T>;
  what: string;
  skeleton?: ComponentChildren;
  children: (data: T) => ComponentChildren;
}) {
  const data = from.data.value;
  const error = from.error.value;
  if (data !== undefined) return <>{children(data)}</>;
  if (error !== undefined)
    return <ErrorCard what={`${what} could not be loaded`} error={error} retry={from.refresh} />;
  return <>{skeleton ?? <Skeleton />}</>;
}
