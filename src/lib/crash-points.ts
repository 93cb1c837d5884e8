/**
 * Named places in the code at which a test lets the service die (`kill -9`), to see that what was acknowledged is there
 * afterwards, once. Each part of the code exports the list of its own, so that a test can go through all of them and a
 * new one without a case is noticed.
 */
export type CrashHook<Point extends string = string> = (point: Point) => void;

/** The hook of every service outside of tests. */
export const neverCrash: CrashHook = () => undefined;
