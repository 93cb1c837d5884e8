import { describeRunner } from './runner-conformance.ts';
import { tools } from './tools.ts';

for (const tool of tools) describeRunner(tool);
