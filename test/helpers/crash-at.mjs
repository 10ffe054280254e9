// Preload of a relay that is to crash: CRASH_AT=<moment>#<times>[#<call>] kills the process as it passes the moment for the nth time;
// with a call's name only those passages count whose batch holds such a call. Loaded into every thread by NODE_OPTIONS=--import.
import { subscribe } from 'node:diagnostics_channel';

const [moment, times, call] = (process.env['CRASH_AT'] ?? '').split('#');
let left = Number(times);

subscribe(`capillary-relay:${moment}`, (detail) => {
  if (call !== undefined && !(Array.isArray(detail) && detail.some(({ name }) => name === call))) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
});
