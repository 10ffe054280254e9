// Preload of a relay that is to crash, for NODE_OPTIONS=--import, which applies to every thread.
// CRASH_AT=<failpoint>#<times>[#<call>] kills the process when it hits the failpoint for the nth
// time. With the name of a journal call, only hits of batches that contain such a call count.
import { subscribe } from 'node:diagnostics_channel';

const [failpoint, times, call] = (process.env['CRASH_AT'] ?? '').split('#');
let left = Number(times);

subscribe(`capillary-relay:${failpoint}`, (detail) => {
  if (call !== undefined && !(Array.isArray(detail) && detail.some(({ name }) => name === call))) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
});
