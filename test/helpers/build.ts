import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Builds dist/ once before the system tests, which run the build that is shipped. */
export default (): void => {
  execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', `${root}build/main.ts`], {
    stdio: 'inherit',
  });
};
