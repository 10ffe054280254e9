import type { CallAllowance } from './call-allowance.ts';
import type { StageClock } from './stage-clock.ts';

/** Who gets the next call; the smallest first. */
export const PRIORITY = { live: 0, flood: 1, replay: 2, refresh: 3 } as const;
export type Priority = (typeof PRIORITY)[keyof typeof PRIORITY];

/** The place in the queue of something that makes one call after the other. */
export interface Ticket {
  priority: Priority;
  /** Whether it is counted as waiting: a call of it is planned or queued. */
  isCounted: boolean;
  /** No further call of it starts. */
  isCancelled: boolean;
  /** Called when a call may start (true), or shall not (false). */
  turn: ((mayStart: boolean) => void) | undefined;
}

/** The calls that wait for their turn. */
export interface CallQueue {
  /** A ticket whose first call will be queued later, but is counted already. */
  plan(priority: Priority): Ticket;
  /** @returns true if the call may start now, false if the ticket was cancelled */
  enter(ticket: Ticket): Promise<boolean>;
  /** Its call has ended. */
  leave(): void;
  /** Gives the ticket a better priority, never a worse one. */
  raise(ticket: Ticket, priority: Priority): void;
  /** Its calls that have not started shall not start. */
  cancel(ticket: Ticket): void;
  /** Cancels all that are queued. */
  clear(): void;
  /** ms until a call that is planned now with this priority can start. */
  msUntilStart(priority: Priority): number;
  /** Starts what may start: time has passed, or the budget has changed. */
  pump(): void;
  /** Calls that are planned or queued. */
  readonly waiting: Readonly<Record<keyof typeof PRIORITY, number>>;
}

export function createCallQueue(budget: CallAllowance, clock: Pick<StageClock, 'after'>): CallQueue {
  const queues: Set<Ticket>[] = Object.values(PRIORITY).map(() => new Set<Ticket>());
  const counts = Object.values(PRIORITY).map(() => 0);
  let cancelTimer: (() => void) | undefined;

  const count = (ticket: Ticket, isCounted: boolean): void => {
    if (ticket.isCounted === isCounted) return;
    ticket.isCounted = isCounted;
    counts[ticket.priority] = (counts[ticket.priority] ?? 0) + (isCounted ? 1 : -1);
  };

  const remove = (ticket: Ticket): ((mayStart: boolean) => void) | undefined => {
    const { turn } = ticket;
    queues[ticket.priority]?.delete(ticket);
    count(ticket, false);
    ticket.turn = undefined;
    return turn;
  };

  const cancel = (ticket: Ticket): void => {
    ticket.isCancelled = true;
    remove(ticket)?.(false);
  };

  const next = (): Ticket | undefined => {
    for (const queue of queues) for (const ticket of queue) return ticket;
    return undefined;
  };

  const pump = (): void => {
    cancelTimer?.();
    cancelTimer = undefined;
    for (let ticket = next(); ticket !== undefined; ticket = next()) {
      const ms = budget.msUntilFree();
      if (ms > 0) {
        // If all are running, the next one that ends calls again.
        if (Number.isFinite(ms)) cancelTimer = clock.after(Math.ceil(ms), pump);
        return;
      }
      budget.start();
      remove(ticket)?.(true);
    }
  };

  return {
    plan(priority) {
      const ticket: Ticket = { priority, isCounted: false, isCancelled: false, turn: undefined };
      count(ticket, true);
      return ticket;
    },
    enter(ticket) {
      if (ticket.isCancelled) return Promise.resolve(false);
      return new Promise((resolve) => {
        ticket.turn = resolve;
        count(ticket, true);
        queues[ticket.priority]?.add(ticket);
        pump();
      });
    },
    leave() {
      budget.end();
      pump();
    },
    raise(ticket, priority) {
      if (priority >= ticket.priority) return;
      const { isCounted } = ticket;
      const isQueued = queues[ticket.priority]?.delete(ticket) === true;
      count(ticket, false);
      ticket.priority = priority;
      count(ticket, isCounted);
      if (isQueued) queues[priority]?.add(ticket);
    },
    cancel,
    clear() {
      for (const queue of queues) for (const ticket of queue) cancel(ticket);
    },
    msUntilStart(priority) {
      let ahead = 0;
      for (let index = 0; index <= priority; index += 1) ahead += counts[index] ?? 0;
      return budget.msUntilStart(ahead);
    },
    pump,
    get waiting() {
      const [live = 0, flood = 0, replay = 0, refresh = 0] = counts;
      return { live, flood, replay, refresh };
    },
  };
}
