/** Where a service can die on the way from an event to the receiver of its alert, in this order. */
export const ALERT_CRASH_POINTS = [
  /** It is decided who is to be told; nothing is stored. */
  'alert.decided',
  /** The alert gathers, or its deliveries wait, with the position in the log. */
  'alert.recorded',
  /** The delivery is marked as being sent; nothing was sent. */
  'alert.begun',
  /** The receiver has it; the store does not know. */
  'alert.sent',
  /** The store knows. */
  'alert.finished',
] as const;

export type AlertCrashPoint = (typeof ALERT_CRASH_POINTS)[number];
