process.env['ELT_TEST_WARM'] = '1';
const { describeRunner } = await import('./runner-conformance.ts');
const { tools } = await import('./tools.ts');

// Scripts always start cold.
for (const tool of tools) if (tool.name !== 'python') describeRunner(tool);
