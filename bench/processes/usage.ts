import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/* Resource usage of another process, from /proc (Linux only). */

export const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU seconds, user and system, of all threads since the start. Resolution 10 ms. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may contain spaces, so fields are counted after it, from the third.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Bytes that the process caused to be written to disk since its start. */
function writtenBytes(pid: number): number {
  return Number(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

export interface Usage {
  readonly cpuSeconds: number;
  readonly writtenKib: number;
}

/** Time in which the relay commits and checkpoints what it still holds back, with a margin. */
const WRITE_BACK_MS = 3_000;

/**
 * Measures a process from now on. The returned function waits for what the last event has the
 * process do later: its CPU time and its bytes count.
 */
export function startUsage(pid: number): () => Promise<Usage> {
  const cpuBefore = cpuSeconds(pid);
  const bytesBefore = writtenBytes(pid);
  return async () => {
    await sleep(WRITE_BACK_MS);
    return {
      cpuSeconds: cpuSeconds(pid) - cpuBefore,
      writtenKib: (writtenBytes(pid) - bytesBefore) / 1_024,
    };
  };
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
