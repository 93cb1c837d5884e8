/** Where a test lets the service die while it applies a revision or changes what holds it. */
export const COMPONENT_CRASH_POINTS = [
  /** The state file is written aside; nothing is stored. */
  'component.revision_prepared',
  /** Revision and control are in the store; the state file is the old one. */
  'component.revision_stored',
  /** The state file is the new one; conditions are not written. */
  'component.revision_filed',
  /** Suspension, pin of what is served, or their end is in the store; nothing was refreshed. */
  'component.control_stored',
] as const;
export type ComponentCrashPoint = (typeof COMPONENT_CRASH_POINTS)[number];
