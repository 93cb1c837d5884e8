import { dltTool } from './dlt-tool.ts';
import { describeRunner } from './runner-conformance.ts';
import { slingTool } from './sling-tool.ts';

// One case of each kind of loader; all cases of all tools are among the full tests.
describeRunner(slingTool, (name) => name === 'kill of the step: running');
describeRunner(dltTool, (name) => name === 'E3: exit 1 after a good commit');
