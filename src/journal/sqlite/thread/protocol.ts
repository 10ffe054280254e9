import type { BatchReport } from '../../journal.ts';
import type { Call, Failure } from '../engine/calls.ts';
import type { EngineOptions, Notice } from '../engine/sqlite-engine.ts';

/* What the main thread and the storage thread share: messages and the heartbeat. */

/** A call with the id that identifies it in the answer. */
export interface NumberedCall extends Call {
  readonly id: number;
}

export interface WorkerOptions extends EngineOptions {
  readonly heartbeat: Heartbeat;
}

export type ToWorker =
  | { readonly type: 'calls'; readonly calls: readonly NumberedCall[] }
  | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'refused'; readonly message: string; readonly fix: string | undefined }
  | {
      readonly type: 'answers';
      /** The calls of one batch. Arrays of plain values cost less to transfer than objects. */
      readonly ids: readonly number[];
      /** The answer to each call, in the same order; undefined for a failed call. */
      readonly answers: readonly unknown[];
      readonly failures: readonly { readonly id: number; readonly failure: Failure }[];
      readonly batch: BatchReport;
      /** Destinations at which something became claimable. */
      readonly claimable: readonly string[];
      readonly notices: readonly Notice[];
    };

/** Wraps bytes that arrived from another thread, where a Buffer becomes a plain Uint8Array. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Copies a slice of a larger buffer, because the whole buffer would be sent to the other thread.
 */
export function toOwnBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

/**
 * Time of the storage thread's last heartbeat, in shared memory. Messages would not do: a busy
 * thread answers none, just like one that hangs. The clock is the same in all threads of a process.
 */
export type Heartbeat = BigInt64Array<SharedArrayBuffer>;

/** Time between heartbeats of an idle thread. */
const HEARTBEAT_INTERVAL_MS = 1_000;
const NS_PER_MS = 1_000_000n;

export function recordHeartbeat(heartbeat: Heartbeat): void {
  void Atomics.store(heartbeat, 0, process.hrtime.bigint());
}

export function createHeartbeat(): Heartbeat {
  const heartbeat = new BigInt64Array(new SharedArrayBuffer(8));
  recordHeartbeat(heartbeat);
  return heartbeat;
}

export function msSinceHeartbeat(heartbeat: Heartbeat): number {
  return Number((process.hrtime.bigint() - Atomics.load(heartbeat, 0)) / NS_PER_MS);
}

/** Records a heartbeat every second without keeping the thread alive. */
export function startHeartbeat(heartbeat: Heartbeat): void {
  setInterval(() => recordHeartbeat(heartbeat), HEARTBEAT_INTERVAL_MS).unref();
}
