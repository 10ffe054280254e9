import { Worker } from 'node:worker_threads';
import { RefusedError, StoreError } from '../journal.ts';
import {
  type AnswerOf,
  CLASS_OF,
  type FromWorker,
  type OperationName,
  type Outcome,
  type RequestOf,
  type ToWorker,
  type WorkerOptions,
} from './protocol.ts';
import { ageOf, createPulse } from './pulse.ts';
import { weightOf } from './weight.ts';

/** Bounds of one batch: what one transaction, one fsync and one message between the threads carry. */
const MAX_CALLS = 1_000;
const MAX_BYTES = 16 * 1_024 * 1_024;
/** Calls of a batch that are not intake: a webhook waits for a few ms of other work, not for the outcomes of a thousand events. */
const MAX_OTHERS = 64;

/** What the worker makes lives for one batch: room for more would only be resident. */
const YOUNG_MB = 12;

interface Waiting {
  readonly name: OperationName;
  readonly request: unknown;
  readonly weight: number;
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** One batch of calls that the worker has answered, for the metrics. */
export interface BatchReport {
  readonly calls: number;
  /** Whether something was written, and so the disk waited for. */
  readonly writes: boolean;
  /** ms that the worker took to carry it out and to commit it. */
  readonly durationMs: number;
}

type Answers = Extract<FromWorker, { type: 'answers' }>;

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

/** Takes from the head of a queue, until the batch has `most` calls or as many bytes as it may have. */
const move = (queue: Waiting[], batch: Waiting[], most: number): void => {
  let bytes = batch.reduce((sum, { weight }) => sum + weight, 0);
  let count = 0;
  for (const { weight } of queue) {
    if (batch.length + count >= most || (batch.length + count > 0 && bytes + weight > MAX_BYTES)) break;
    count += 1;
    bytes += weight;
  }
  batch.push(...queue.splice(0, count));
};

/**
 * The way to the worker. One batch is there at a time; the calls that come meanwhile wait together and are the next batch, so that the
 * busier the relay is the more calls share one fsync. Intake goes before the rest; within both, calls keep their order.
 */
export class Channel {
  /** Resolves when the worker has died; never after `close`. */
  readonly failed: Promise<Error>;
  readonly #worker: Worker;
  readonly #pulse = createPulse();
  readonly #ready = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  readonly #onAnswers: (answers: Answers & BatchReport) => void;
  #intake: Waiting[] = [];
  #others: Waiting[] = [];
  #flying: readonly Waiting[] | undefined;
  #flushing = false;
  #closing = false;
  #dead: StoreError | undefined;
  #closed: Promise<void> | undefined;

  /** `onAnswers` is called after the calls of a batch have been answered. */
  constructor(options: Omit<WorkerOptions, 'pulse'>, onAnswers: (answers: Answers & BatchReport) => void) {
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.failed = promise;
    this.#onAnswers = onAnswers;
    this.#worker = new Worker(WORKER, {
      workerData: { ...options, pulse: this.#pulse } satisfies WorkerOptions,
      // Which also keeps the flags of the parent, a debugger's for one, out of it.
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error) => this.#die(error, resolve));
    this.#worker.on('exit', (code) => {
      if (!this.#closing) this.#die(new Error(`its thread ended with code ${code}`), resolve);
      this.#gone.resolve();
    });
  }

  /** Resolves when the file is open, rejects with a StoreError when it cannot be. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Resolves with the answer once it is on the disk; rejects with a StoreError or a RefusedError. */
  call<Name extends OperationName>(name: Name, request: RequestOf<Name>): Promise<AnswerOf<Name>> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    return new Promise<AnswerOf<Name>>((resolve, reject) => {
      const weight = weightOf(request);
      const queue = CLASS_OF[name] === 'intake' ? this.#intake : this.#others;
      queue.push({ name, request, weight, resolve, reject });
      this.#flushSoon();
    });
  }

  /** ms since the worker last showed that it turns. */
  pulseAge(): number {
    return ageOf(this.#pulse);
  }

  /** Calls without an answer yet. */
  queued(): number {
    return this.#intake.length + this.#others.length + (this.#flying?.length ?? 0);
  }

  /** Closes the file and ends the worker, when nothing is under way. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    this.#closing = true;
    if (this.#dead === undefined) this.#tell({ type: 'close' });
    await this.#gone.promise;
  }

  #tell(message: ToWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(message);
  }

  /** Once per turn of the event loop's microtasks, so that calls made together go together. */
  #flushSoon(): void {
    if (this.#flying !== undefined || this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#flying !== undefined || this.#dead !== undefined) return;
    const batch: Waiting[] = [];
    move(this.#intake, batch, MAX_CALLS);
    move(this.#others, batch, batch.length + MAX_OTHERS);
    if (batch.length === 0) return;
    this.#flying = batch;
    this.#tell({ type: 'batch', calls: batch.map(({ name, request }) => ({ name, request })) });
  }

  #receive(message: FromWorker): void {
    if (message.type === 'ready') this.#ready.resolve();
    if (message.type === 'refused') {
      this.#closing = true;
      this.#ready.reject(new StoreError(message.message));
    }
    if (message.type === 'answers') this.#answer(message);
  }

  #answer(answers: Answers): void {
    const batch = this.#flying ?? [];
    this.#flying = undefined;
    for (const [index, waiting] of batch.entries()) settle(waiting, answers.outcomes[index]);
    this.#flush();
    const writes = batch.some(({ name }) => CLASS_OF[name] !== 'read');
    this.#onAnswers({ ...answers, calls: batch.length, writes });
  }

  #die(cause: Error, tell: (error: Error) => void): void {
    if (this.#dead !== undefined) return;
    const dead = new StoreError(`the store has failed: ${cause.message}`, { cause });
    this.#dead = dead;
    this.#ready.reject(dead);
    for (const waiting of [...(this.#flying ?? []), ...this.#intake, ...this.#others]) waiting.reject(dead);
    this.#flying = undefined;
    this.#intake = [];
    this.#others = [];
    if (!this.#closing) tell(dead);
  }
}

const settle = (waiting: Waiting, outcome: Outcome | undefined): void => {
  if (outcome?.ok === true) waiting.resolve(outcome.answer);
  else if (outcome?.refused === true) waiting.reject(new RefusedError(outcome.message));
  else waiting.reject(new StoreError(outcome?.message ?? 'the store gave no answer'));
};
