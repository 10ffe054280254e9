import { hash } from 'node:crypto';
import type { IdentifierKind } from '../capillary/identifiers.ts';

/**
 * The first 52 bits of a hash, an exact integer. Among a million texts there is a 1 in 9,000 chance
 * that any two have the same one.
 */
export function fingerprint(text: string): number {
  return Number.parseInt(hash('sha256', text).slice(0, 13), 16);
}

/** Identifies a contact of an organisation without its value. */
export function contactKey(orgId: number, kind: IdentifierKind, id: string): number {
  return fingerprint(JSON.stringify(['contact', orgId, kind, id]));
}

/** Longer ids show two characters at each end. */
const LONG_ID_CHARS = 8;

/**
 * A contact for operators: `s***@store.example.com`, `+91***10`, `NO***ED`. A shared contact is
 * recognised by its domain or ends.
 */
export function maskContact(kind: IdentifierKind, id: string): string {
  if (kind === 'email') {
    const at = id.lastIndexOf('@');
    return `${id.slice(0, 1)}***${id.slice(at)}`;
  }
  if (kind === 'phone') {
    return `${id.slice(0, 3)}***${id.slice(-2)}`;
  }
  const masked = id.length < LONG_ID_CHARS ? `${id.slice(0, 1)}***` : `${id.slice(0, 2)}***${id.slice(-2)}`;
  // A character may have been cut in two.
  return masked.toWellFormed();
}
