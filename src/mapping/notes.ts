import type { MappingNote, NoteKind } from './mapped.ts';

/** What each code means, for the integration engineer. The sentences hold no value of the event. */
const MESSAGES = {
  'wrong-type': 'the value has another type than the XDM field, so it is left out',
  'not-a-number': 'the value is no number, so it is left out',
  'not-an-integer': 'the XDM field takes whole numbers of 32 bits only, so the value is left out',
  'not-finite': 'the number is too large to be one, so it is left out',
  'not-an-id': 'the value cannot be an id, so it is left out',
  'not-a-date': 'the value is no date between 2000 and 2200, so it is left out',
  'not-in-enum': 'the XDM field takes only certain values and this is none of them, so it is left out',
  'wrong-pattern': 'the value does not have the form that the XDM field asks for, so it is left out',
  'not-an-email': 'the value does not look like an e-mail address, so it is left out',
  'not-a-phone': 'the value is no phone number of the country, so it is left out',
  placeholder: 'the value stands for "none", and would join strangers as one person, so it is left out',
  masked: 'characters of the value are covered up, so it is no identity and is left out',
  'too-long': 'the text is longer than any real value of its kind, so it is left out',
  'too-deep': 'the value is nested too deep, so it is left out',
  'too-many': 'the list is longer than AEP takes, so its end is left out',
  'unknown-field': 'the schema has no such field, or the destination has it switched off, so it is left out',
  'missing-required': 'XDM asks for this field, so the object without it is left out',
  'no-namespace': 'identifiers came, but the destination has no namespace for any of them',
  'primary-fallback': 'the configured primary identity is not in the event; another one is primary',
  'too-many-identities': 'AEP takes 20 identities in one record, so the rest is left out',
  'after-receipt': 'the event time lies after its receipt, so the time of receipt is used',
  'no-tenant': 'the destination has no tenant to put this field under',
  'group-balance': 'the balance is that of a group, so the profile of the acting person is not changed',
  'other-program': 'this is not the default program, so the loyalty fields of the profile are not changed',
  'other-customer': 'the entry is of another customer than the event, so it is left out',
  'not-marketing': 'the answer is to transactional messages, so it is no consent to marketing',
  'opt-out-counts': 'the event has both answers for one channel of XDM, so the opt-out counts',
  'payload-left-out': 'the data of the event does not fit into the payload field',
  'protected-field': 'an override may not set this field, so its value is ignored',
  'path-in-use': 'another attribute stands where this one would have to, so it is left out',
  shrunk: 'left out to keep the record within the size AEP takes',
  'near-limit': 'the record comes near the size beyond which AEP drops it',
  'more-notes': 'there was more to say than is kept',
} as const;

export type NoteCode = keyof typeof MESSAGES;

/** What the mapping did to the value; a metric label and the first thing an operator sees of a note. */
const KINDS: Readonly<Record<NoteCode, NoteKind>> = {
  'wrong-type': 'dropped',
  'not-a-number': 'dropped',
  'not-an-integer': 'dropped',
  'not-finite': 'dropped',
  'not-an-id': 'dropped',
  'not-a-date': 'dropped',
  'not-in-enum': 'dropped',
  'wrong-pattern': 'dropped',
  'not-an-email': 'dropped',
  'not-a-phone': 'dropped',
  placeholder: 'dropped',
  masked: 'dropped',
  'too-long': 'dropped',
  'too-deep': 'dropped',
  'too-many': 'truncated',
  'unknown-field': 'dropped',
  'missing-required': 'dropped',
  'no-namespace': 'dropped',
  'primary-fallback': 'repaired',
  'too-many-identities': 'truncated',
  'after-receipt': 'repaired',
  'no-tenant': 'dropped',
  'group-balance': 'dropped',
  'other-program': 'dropped',
  'other-customer': 'dropped',
  'not-marketing': 'dropped',
  'opt-out-counts': 'repaired',
  'payload-left-out': 'truncated',
  'protected-field': 'dropped',
  'path-in-use': 'dropped',
  shrunk: 'truncated',
  'near-limit': 'truncated',
  'more-notes': 'truncated',
};

/** Every code a note can have: they are stable and serve as metric labels. */
export const NOTE_CODES = Object.keys(MESSAGES) as readonly NoteCode[];

/** Notes beyond this are not kept: an event of garbage must not become a flood. */
const MAX_NOTES = 100;
/** Names of fields come from outside too: no path that makes sense is longer. */
const MAX_PATH_CHARS = 200;

/** Gathers the notes of one mapping, each once. */
export interface Notes {
  /** `detail` is added to the message; it must hold no value of the event. */
  add(path: string, code: NoteCode, detail?: string): void;
  list(): readonly MappingNote[];
}

export function createNotes(): Notes {
  const kept = new Map<string, MappingNote>();
  return {
    add(where, code, detail) {
      const path = where.slice(0, MAX_PATH_CHARS).toWellFormed();
      if (kept.size < MAX_NOTES) {
        kept.set(`${code} ${path}`, noteOf(path, code, detail));
      } else {
        kept.set('more-notes', MORE_NOTES);
      }
    },
    list: () => [...kept.values()],
  };
}

/** The note of a code. One that was kept under a code that is no longer known says so. */
export function noteOf(path: string, code: string, detail?: string): MappingNote {
  if (!isNoteCode(code)) {
    return { kind: 'dropped', path, code, message: 'a code of another version of the relay' };
  }
  const message = detail === undefined ? MESSAGES[code] : `${MESSAGES[code]}: ${detail}`;
  return { kind: KINDS[code], path, code, message };
}

const MORE_NOTES = noteOf('', 'more-notes');

/** At most as many notes as are kept with an event; the last then says that there were more. */
export function boundedNotes(notes: readonly MappingNote[]): readonly MappingNote[] {
  return notes.length <= MAX_NOTES
    ? notes
    : [...notes.filter(({ code }) => code !== 'more-notes').slice(0, MAX_NOTES - 1), MORE_NOTES];
}

/** True for a code that has a sentence. */
export function isNoteCode(code: string): code is NoteCode {
  return Object.hasOwn(MESSAGES, code);
}

/** Notes of faults that a validation found; `conform` gives the codes as plain text. */
export function noteFault(notes: Notes) {
  return (path: string, code: string): void => notes.add(path, isNoteCode(code) ? code : 'wrong-type');
}
