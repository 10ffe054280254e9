/*
 * A sign of life between threads that needs no message: a worker that is busy answers none, and one that hangs answers none either. What is
 * shared is the time of the last sign, by a clock that all threads of a process have in common.
 */
export type Pulse = BigInt64Array<SharedArrayBuffer>;

/** ms between signs of a worker that has nothing to do. */
const INTERVAL = 1_000;
const NS_PER_MS = 1_000_000n;

/** Gives a sign of life. */
export function beat(pulse: Pulse): void {
  void Atomics.store(pulse, 0, process.hrtime.bigint());
}

export function createPulse(): Pulse {
  const pulse = new BigInt64Array(new SharedArrayBuffer(8));
  beat(pulse);
  return pulse;
}

/** ms since the last sign. */
export function ageOf(pulse: Pulse): number {
  return Number((process.hrtime.bigint() - Atomics.load(pulse, 0)) / NS_PER_MS);
}

/** Gives a sign each second, for as long as something else keeps the thread alive. */
export function keepBeating(pulse: Pulse): void {
  setInterval(() => beat(pulse), INTERVAL).unref();
}
