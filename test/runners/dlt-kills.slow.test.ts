import { describeDltKills } from './dlt-kill-suite.ts';

describeDltKills(['append'], [[0.72, 0]]);
