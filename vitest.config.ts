import { defineConfig } from 'vitest/config';

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
