import type { ControlState } from '../component/control.ts';

/** Pins, rollbacks and suspensions: durable over restarts. One row per component. */
export interface ControlStore {
  get(component: string): Promise<ControlState | null>;
  /** Replaces the row and appends the event `control_changed` and an audit entry: one transaction. Null: resumed. */
  set(component: string, state: ControlState | null, by: string): Promise<void>;
}
