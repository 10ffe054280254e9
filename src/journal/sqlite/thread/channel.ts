import { Worker } from 'node:worker_threads';
import { RefusedError, StoreError } from '../../journal.ts';
import {
  type AnswerOf,
  CLASS_OF,
  type Failure,
  type OperationName,
  type RequestOf,
} from '../engine/calls.ts';
import type { EngineOptions } from '../engine/sqlite-engine.ts';
import {
  createHeartbeat,
  type FromWorker,
  msSinceHeartbeat,
  type NumberedCall,
  type ToWorker,
  type WorkerOptions,
} from './protocol.ts';

/**
 * Calls in one message to the worker: enough to share the cost of a message, few enough that the
 * worker can start early.
 */
const MAX_CALLS_PER_MESSAGE = 16;

/** The worker's objects live for one batch; a larger young generation would only use memory. */
const WORKER_YOUNG_GENERATION_MB = 12;

interface PendingCall {
  readonly name: OperationName;
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** A write that failed, when no write has succeeded since. */
export interface WriteFailure {
  /** Monotonic ms of the first failure. */
  readonly since: number;
  readonly message: string;
}

type Answers = Extract<FromWorker, { type: 'answers' }>;

const WORKER_URL = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

/**
 * The connection to the worker. Calls are sent in small groups, at the latest at the end of the
 * current turn of the event loop, while the worker is still busy with earlier ones, so neither
 * thread waits for the other while there is work. The worker decides which calls form a batch
 * (call-queue.ts).
 */
export class Channel {
  /** Resolves if the worker dies; never after `close`. */
  readonly failed: Promise<Error>;
  readonly #worker: Worker;
  readonly #heartbeat = createHeartbeat();
  readonly #ready = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<void>();
  readonly #onAnswers: (answers: Answers) => void;
  /** Calls without an answer, by id. */
  readonly #pending = new Map<number, PendingCall>();
  #unsent: NumberedCall[] = [];
  #lastId = 0;
  #closing = false;
  #failure: StoreError | undefined;
  #writeFailure: WriteFailure | undefined;
  #closed: Promise<void> | undefined;

  /** `onAnswers` is called after the calls of a batch have been answered. */
  constructor(options: EngineOptions, onAnswers: (answers: Answers) => void) {
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.failed = promise;
    this.#onAnswers = onAnswers;
    this.#worker = new Worker(WORKER_URL, {
      workerData: { ...options, heartbeat: this.#heartbeat } satisfies WorkerOptions,
      // Replaces the flags inherited from the main thread, for example those of a debugger.
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxYoungGenerationSizeMb: WORKER_YOUNG_GENERATION_MB },
    });
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error) => this.#fail(error, resolve));
    this.#worker.on('exit', (code) => {
      if (!this.#closing) this.#fail(new Error(`the storage thread exited with code ${code}`), resolve);
      this.#exited.resolve();
    });
  }

  /** Resolves when the file is open; rejects with a StoreError if it cannot be opened. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Resolves once the result is durable; rejects with a StoreError or a RefusedError. */
  call<Name extends OperationName>(name: Name, request: RequestOf<Name>): Promise<AnswerOf<Name>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise<AnswerOf<Name>>((resolve, reject) => {
      const id = (this.#lastId += 1);
      this.#pending.set(id, { name, resolve, reject });
      this.#unsent.push({ id, name, request });
      if (this.#unsent.length === 1) setImmediate(() => this.#sendCalls());
      if (this.#unsent.length === MAX_CALLS_PER_MESSAGE) this.#sendCalls();
    });
  }

  msSinceHeartbeat(): number {
    return msSinceHeartbeat(this.#heartbeat);
  }

  /** Since when writes fail, and how; undefined while they succeed. */
  get writeFailure(): WriteFailure | undefined {
    return this.#writeFailure;
  }

  /** Number of calls without an answer. */
  queued(): number {
    return this.#pending.size;
  }

  /** Closes the file and ends the worker. Call it only when no call is pending. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  async #shutDown(): Promise<void> {
    this.#closing = true;
    if (this.#failure === undefined) this.#post({ type: 'close' });
    await this.#exited.promise;
  }

  #post(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #sendCalls(): void {
    const calls = this.#unsent;
    if (calls.length === 0 || this.#failure !== undefined) return;
    this.#unsent = [];
    this.#post({ type: 'calls', calls }, calls.flatMap(buffersOf));
  }

  #receive(message: FromWorker): void {
    if (message.type === 'ready') this.#ready.resolve();
    if (message.type === 'refused') {
      this.#closing = true;
      this.#ready.reject(new StoreError(message.message, { fix: message.fix }));
    }
    if (message.type === 'answers') this.#settleCalls(message);
  }

  #settleCalls(answers: Answers): void {
    let failed: string | undefined;
    for (const { id, failure } of answers.failures) {
      const call = this.#takePending(id);
      if (call === undefined) continue;
      if (!failure.refused && CLASS_OF[call.name] !== 'read') failed = failure.message;
      call.reject(errorOf(failure));
    }
    if (failed !== undefined) this.#writeFailure ??= { since: performance.now(), message: failed };
    else if (answers.batch.writes) this.#writeFailure = undefined;
    const { ids } = answers;
    for (let index = 0; index < ids.length; index += 1) {
      this.#takePending(ids[index] ?? 0)?.resolve(answers.answers[index]);
    }
    this.#onAnswers(answers);
  }

  /** Removes a pending call; undefined if it has already been answered. */
  #takePending(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    this.#pending.delete(id);
    return call;
  }

  #fail(cause: Error, report: (error: Error) => void): void {
    if (this.#failure !== undefined) return;
    const failure = new StoreError(`the store has failed: ${cause.message}`, { cause });
    this.#failure = failure;
    this.#ready.reject(failure);
    for (const call of this.#pending.values()) call.reject(failure);
    this.#pending.clear();
    this.#unsent = [];
    if (!this.#closing) report(failure);
  }
}

/** What the storage thread takes over. */
function buffersOf({ name, request }: NumberedCall): ArrayBuffer[] {
  return name === 'append' ? [(request as RequestOf<'append'>).bodies.buffer] : [];
}

function errorOf({ refused, message }: Failure): Error {
  return refused ? new RefusedError(message) : new StoreError(message);
}

/** Tracks the calls in progress, so that closing can wait for them. */
export interface CallTracker {
  /** Makes a call, or rejects with a StoreError after `drain` was called. */
  readonly track: <T>(call: () => Promise<T>) => Promise<T>;
  /** False as soon as `drain` is called: calls of many steps then stop before their next step. */
  readonly isOpen: boolean;
  /** Refuses new calls and resolves when none is in progress. */
  readonly drain: () => Promise<void>;
}

export function createCallTracker(): CallTracker {
  let inProgress = 0;
  let open = true;
  const idle = Promise.withResolvers<void>();
  const finish = (): void => {
    inProgress -= 1;
    if (!open && inProgress === 0) idle.resolve();
  };
  return {
    // Every webhook passes here, so the call's own promise is returned without wrapping it.
    track: (call) => {
      if (!open) return Promise.reject(new StoreError('the store is closed'));
      const answer = call();
      inProgress += 1;
      answer.then(finish, finish);
      return answer;
    },
    get isOpen() {
      return open;
    },
    drain: async () => {
      open = false;
      if (inProgress === 0) idle.resolve();
      await idle.promise;
    },
  };
}
