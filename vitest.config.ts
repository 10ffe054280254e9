import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// The tests start some hundreds of processes and storage threads of the same modules: each need be compiled only once.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules', '.cache', 'node-compile');

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/helpers/build.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Many tests wait for processes and disks, so a third worker pays on two cores.
    maxWorkers: 3,
    // V8's protection of code memory can abort a process in which many worker threads come and go.
    execArgv: ['--disable-warning=ExperimentalWarning', '--no-memory-protection-keys'],
  },
});
