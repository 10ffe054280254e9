import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

const STARTERS = ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync'];

// A process takes too long for the unit tests.
function refuse(name: string) {
  return (): never => {
    throw new Error(
      `child_process.${name} in a unit test: move the test to test/system or name it *.system.test.ts`,
    );
  };
}

Object.assign(childProcess, Object.fromEntries(STARTERS.map((name) => [name, refuse(name)])));
syncBuiltinESMExports();
