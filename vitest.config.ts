import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { TEST_LIMIT_MS } from './test/helpers/limits.ts';

// The tests start hundreds of processes and storage threads that load the same modules: compile each module once.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules', '.cache', 'node-compile');

// A test belongs to `system` if it starts a process: by its folder or by the suffix of its name.
const SYSTEM_TESTS = ['test/system/**/*.test.ts', 'test/**/*.system.test.ts'];

export default defineConfig({
  test: {
    testTimeout: TEST_LIMIT_MS,
    hookTimeout: TEST_LIMIT_MS,
    // Many tests wait for processes and disks, so a third worker pays on two cores.
    maxWorkers: 3,
    // V8's protection of code memory can abort a process in which many worker threads come and go.
    execArgv: ['--disable-warning=ExperimentalWarning', '--no-memory-protection-keys'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: SYSTEM_TESTS,
          setupFiles: ['test/helpers/refuse-child-processes.ts'],
          globalSetup: ['test/helpers/postgres-on-demand.ts'],
          // Files share a worker and its loaded modules, which saves a third of the time.
          isolate: false,
          restoreMocks: true,
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: SYSTEM_TESTS,
          globalSetup: ['test/helpers/build.ts', 'test/helpers/postgres-on-demand.ts'],
        },
      },
    ],
  },
});
