import { killServiceSuite } from './kill-service-suite.ts';

killServiceSuite('warm');
