import type { Journal, MessageKind, NewEvent, Settlement } from '../../src/journal/journal.ts';
import { append, sampleAttempt, sampleEvent, settleAs, settled } from './samples.ts';

/** A settlement that delivers messages of these kinds, each by a request of its own. */
export function acknowledged(receipt: string, kinds: readonly MessageKind[] = ['event']): Settlement {
  return {
    ...settled.delivered(receipt),
    delivered: kinds,
    attempts: kinds.map((kind) => sampleAttempt({ outcome: 'delivered' }, { kind, status: 200 })),
  };
}

/** Appends an event, and delivers it now. @returns its receipt */
export async function deliver(
  journal: Journal,
  event: NewEvent = sampleEvent(),
  settlement: (receipt: string) => Settlement = acknowledged,
): Promise<string> {
  const { receipt } = await append(journal, event);
  await settleAs(journal, settlement(receipt));
  return receipt;
}

/** Landed, refused later, and unconfirmed of one source. */
export async function sumsOf(journal: Journal, source = 'acme'): Promise<[number, number, number]> {
  const { delivered = 0 } = (await journal.ledger())[source] ?? {};
  const { landed, refusedLater } = (await journal.landings())[source] ?? {
    landed: 0,
    refusedLater: 0,
  };
  return [landed, refusedLater, delivered - landed];
}
