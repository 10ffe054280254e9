import { Worker } from 'node:worker_threads';
import { RefusedError, StoreError } from '../journal.ts';
import type {
  AnswerOf,
  Failure,
  FromWorker,
  NumberedCall,
  OperationName,
  RequestOf,
  ToWorker,
  WorkerOptions,
} from './protocol.ts';
import { ageOf, createPulse } from './pulse.ts';

/** Calls in one message to the worker: enough that none pays much for it, few enough that the worker begins before many have come in. */
const MAX_TOLD = 16;

/** What the worker makes lives for one batch: room for more would only be resident. */
const YOUNG_MB = 12;

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

type Answers = Extract<FromWorker, { type: 'answers' }>;

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

/**
 * The way to the worker. Calls are told in small groups, at the latest at the end of this turn of the event loop, while the worker is still at
 * work on earlier ones: so neither thread waits for the other as long as there is something to do. What is carried out together is the
 * worker's to say (queue.ts).
 */
export class Channel {
  /** Resolves when the worker has died; never after `close`. */
  readonly failed: Promise<Error>;
  readonly #worker: Worker;
  readonly #pulse = createPulse();
  readonly #ready = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  readonly #onAnswers: (answers: Answers) => void;
  /** Calls without an answer, by id. */
  readonly #waiting = new Map<number, Waiting>();
  #untold: NumberedCall[] = [];
  #lastId = 0;
  #closing = false;
  #dead: StoreError | undefined;
  #closed: Promise<void> | undefined;

  /** `onAnswers` is called after the calls of a batch have been answered. */
  constructor(options: Omit<WorkerOptions, 'pulse'>, onAnswers: (answers: Answers) => void) {
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
      const id = (this.#lastId += 1);
      this.#waiting.set(id, { resolve, reject });
      this.#untold.push({ id, name, request });
      if (this.#untold.length === 1) setImmediate(() => this.#tellCalls());
      if (this.#untold.length === MAX_TOLD) this.#tellCalls();
    });
  }

  /** ms since the worker last showed that it turns. */
  pulseAge(): number {
    return ageOf(this.#pulse);
  }

  /** Calls without an answer yet. */
  queued(): number {
    return this.#waiting.size;
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

  #tellCalls(): void {
    const calls = this.#untold;
    if (calls.length === 0 || this.#dead !== undefined) return;
    this.#untold = [];
    this.#tell({ type: 'calls', calls });
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
    for (const { id, failure } of answers.failures) this.#take(id)?.reject(errorOf(failure));
    const { ids } = answers;
    for (let index = 0; index < ids.length; index += 1) {
      this.#take(ids[index] ?? 0)?.resolve(answers.answers[index]);
    }
    this.#onAnswers(answers);
  }

  /** Whoever waits for the answer to a call; undefined when it was answered. */
  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #die(cause: Error, tell: (error: Error) => void): void {
    if (this.#dead !== undefined) return;
    const dead = new StoreError(`the store has failed: ${cause.message}`, { cause });
    this.#dead = dead;
    this.#ready.reject(dead);
    for (const waiting of this.#waiting.values()) waiting.reject(dead);
    this.#waiting.clear();
    this.#untold = [];
    if (!this.#closing) tell(dead);
  }
}

function errorOf({ refused, message }: Failure): Error {
  return refused ? new RefusedError(message) : new StoreError(message);
}
