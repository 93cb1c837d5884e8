import { killServiceSuite } from './kill-service-suite.ts';

killServiceSuite('cold');
killServiceSuite('warm', (name) => /^at spawned|again and again|alone is found/.test(name));
