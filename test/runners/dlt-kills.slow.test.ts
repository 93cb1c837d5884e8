import { describeDltKills } from './dlt-kill-suite.ts';

describeDltKills([[0.72, 0]]);
