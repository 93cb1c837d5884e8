import { dbtTool } from './dbt-tool.ts';
import { dltTool } from './dlt-tool.ts';
import { pythonTool } from './python-tool.ts';
import type { ToolUnderTest } from './scene.ts';
import { slingTool } from './sling-tool.ts';

export const tools: readonly ToolUnderTest[] = [pythonTool, slingTool, dltTool, dbtTool];
