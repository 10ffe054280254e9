import type { ContactBounds } from '../../contact-bounds.ts';
import type { ContactCountAnswer, ContactCountRequest } from '../../journal.ts';
import { countContacts } from './count-contacts.ts';
import type { PostgresEngine } from './engine.ts';

/** A call that waits for the transaction under way. */
interface Call {
  readonly request: ContactCountRequest;
  readonly resolve: (answer: ContactCountAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Counts contacts, for each destination in one transaction after the other: each of them locks the
 * totals of the destination, so several would only wait for each other, each on a connection, until
 * none is left for anything else.
 * What arrives meanwhile is counted together in the next one.
 * @param bounds smaller ones for tests
 */
export function createContactCounting(
  engine: Pick<PostgresEngine, 'sessions' | 'now'>,
  bounds?: ContactBounds,
): (request: ContactCountRequest) => Promise<ContactCountAnswer> {
  /** Destinations that are being counted for, and what waits there. */
  const waiting = new Map<string, Call[]>();

  const countNext = async (destination: string, calls: readonly Call[]): Promise<void> => {
    try {
      const requests = calls.map(({ request }) => request);
      const answers = await countContacts(engine, destination, requests, bounds);
      for (const [index, answer] of answers.entries()) calls[index]?.resolve(answer);
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  };

  const countAll = async (destination: string): Promise<void> => {
    for (;;) {
      const calls = waiting.get(destination)?.splice(0) ?? [];
      if (calls.length === 0) break;
      await countNext(destination, calls);
    }
    waiting.delete(destination);
  };

  return (request) =>
    new Promise((resolve, reject) => {
      const { destination } = request;
      const calls = waiting.get(destination);
      const call = { request, resolve, reject };
      if (calls !== undefined) {
        calls.push(call);
        return;
      }
      waiting.set(destination, [call]);
      void countAll(destination);
    });
}
