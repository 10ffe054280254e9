import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/* Resource usage of another process, from /proc (Linux only). */

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU seconds, user and system, of all threads since the start. Resolution 10 ms. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may contain spaces, so fields are counted after it, from the third.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function statusMib(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1]) / 1_024;
}

/** Current resident memory, MiB. */
export function residentMib(pid: number): number {
  return statusMib(pid, 'VmRSS');
}

/** Peak resident memory since the start, MiB. */
export function peakMib(pid: number): number {
  return statusMib(pid, 'VmHWM');
}
