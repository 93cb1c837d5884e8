import { describeKills } from './kill-suite.ts';

// Of each kind one; the full tests have twenty.
describeKills(['run_enqueued', 'step_dispatched', 'step_started', 'line 1', 'line 20', 'line 40']);
