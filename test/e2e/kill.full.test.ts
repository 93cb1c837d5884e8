import { describeKills } from './kill-suite.ts';

const LINES = [1, 2, 5, 10, 15, 20, 22, 25, 30, 35, 38, 39, 40, 40];
const STAGES = ['run_enqueued', 'step_dispatched', 'step_started'];

describeKills([...STAGES, ...LINES.map((line) => `line ${line}`), ...STAGES]);
