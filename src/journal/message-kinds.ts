import type { MessageKind } from './stored-event.ts';

const KIND_BITS: Readonly<Record<MessageKind, number>> = { event: 1, profile: 2 };
const KINDS: readonly MessageKind[] = ['event', 'profile'];

/** The stored form of a set of message kinds. */
export function bitsOf(kinds: readonly MessageKind[]): number {
  return kinds.reduce((bits, kind) => bits | KIND_BITS[kind], 0);
}

export function kindsOf(bits: number): MessageKind[] {
  return KINDS.filter((kind) => (bits & KIND_BITS[kind]) !== 0);
}
