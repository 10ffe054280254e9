import type { MappingNote, NoteKind } from './mapping-result.ts';

/** The meaning of each code, for the integration engineer; without values of the event. */
const MESSAGES = {
  'wrong-type': 'the value does not have the type of the XDM field, so it is left out',
  'not-a-number': 'the value is not a number, so it is left out',
  'not-an-integer': 'the XDM field accepts only 32-bit integers, so the value is left out',
  'not-finite': 'the number is not finite, so it is left out',
  'not-an-id': 'the value cannot be an id, so it is left out',
  'not-a-date':
    'the value is not a date between 2000 and 2200 (of birth: from 1900 to today), so it is left out',
  'ambiguous-date': 'the date can be read as two different days, so it is left out',
  'not-in-enum': 'the XDM field accepts only certain values and this is not one of them, so it is left out',
  'wrong-pattern': 'the value does not match the pattern of the XDM field, so it is left out',
  'not-an-email': 'the value is not an e-mail address that XDM accepts, so it is left out',
  'not-a-phone': 'the value is not a phone number, so it is left out',
  placeholder: 'the value is a placeholder that would join strangers as one person, so it is left out',
  masked: 'the value is masked, so it is left out',
  'ignored-contact': "contacts.ignore of the source lists this contact as nobody's own, so it is left out",
  'shared-contact': 'too many customers have this contact, so it is no identity of any of them',
  'too-long': 'the text is longer than any real value of its kind, so it is left out',
  'too-deep': 'the value is nested too deeply, so it is left out',
  'too-many': 'the list is longer than AEP accepts, so its end is left out',
  'unknown-field': 'the schema has no such field, or the destination disables it, so it is left out',
  'missing-required': 'XDM requires this field, so the object without it is left out',
  'no-namespace': 'the event has identifiers, but the destination has no namespace for any of them',
  'primary-fallback': 'the event lacks the configured primary identity, so another one is primary',
  'too-many-identities': 'AEP accepts 20 identities in one record, so the rest is left out',
  'after-receipt': 'the event time is after its receipt, so the time of receipt is used',
  'after-creation': 'the event time is after Capillary stored the event, so createdAt is used',
  'no-event-time': 'the event states no time of its own that can be read, so the time of receipt is used',
  'no-tenant': 'the destination has no tenant for this field',
  'group-balance': 'the balance belongs to a group, so the profile of the acting person is not changed',
  'other-program': 'this is not the default program, so the loyalty fields of the profile are not changed',
  'default-program-unknown':
    'no event has said which program is the default one, so the first program is used',
  'lots-unknown': 'not all points that will expire are known with their dates, so none are listed',
  'balance-unknown':
    'an event changed a balance that is not known, or by points that it does not say, so the balance is left out',
  'no-program': 'the event does not say the loyalty program, so its tier does not change the profile',
  'unknown-program': 'the event does not say the loyalty program, so its points belong to the only one known',
  'unknown-name': 'no event has said the name of this program or tier, so it is left out',
  'other-customer': 'the entry belongs to another customer, so it is left out',
  'not-marketing': 'the subscription is to transactional messages, so it is not a marketing consent',
  'unknown-outlier-status':
    'the outlier status is unknown and not configured to count, so the bill is not a purchase',
  'unclear-amount': 'nothing in the bill was bought, so its amount is not taken for a price',
  'bill-differs': "Capillary's API says something else about the bill, so the value of the event is used",
  'other-bill': "Capillary's API answered with another bill, so nothing of it is used",
  'opt-out-counts': 'the event has both answers for one account of a channel, so the opt-out counts',
  'payload-left-out': 'the data of the event does not fit into the payload field',
  'protected-field': 'an override cannot set this field, so its value is ignored',
  'path-in-use': 'another attribute already uses this path, so it is left out',
  shrunk: 'left out to keep the record within the size that AEP accepts',
  'near-limit': 'the record is close to the size above which AEP drops it',
  'not-utf-8': 'the body is not UTF-8 and declares no other encoding, so it was read as Windows-1252',
  'enrichment-incomplete':
    "Capillary's API was not asked or did not answer in time, so the event has what it came with",
  'more-notes': 'there were more notes than are stored',
} as const;

export type NoteCode = keyof typeof MESSAGES;

/** What the mapping did to the value; also a metric label. */
const KINDS: Readonly<Record<NoteCode, NoteKind>> = {
  'wrong-type': 'dropped',
  'not-a-number': 'dropped',
  'not-an-integer': 'dropped',
  'not-finite': 'dropped',
  'not-an-id': 'dropped',
  'not-a-date': 'dropped',
  'ambiguous-date': 'dropped',
  'not-in-enum': 'dropped',
  'wrong-pattern': 'dropped',
  'not-an-email': 'dropped',
  'not-a-phone': 'dropped',
  placeholder: 'dropped',
  masked: 'dropped',
  'ignored-contact': 'dropped',
  'shared-contact': 'dropped',
  'too-long': 'dropped',
  'too-deep': 'dropped',
  'too-many': 'truncated',
  'unknown-field': 'dropped',
  'missing-required': 'dropped',
  'no-namespace': 'dropped',
  'primary-fallback': 'repaired',
  'too-many-identities': 'truncated',
  'after-receipt': 'repaired',
  'after-creation': 'repaired',
  'no-event-time': 'repaired',
  'no-tenant': 'dropped',
  'group-balance': 'dropped',
  'other-program': 'dropped',
  'default-program-unknown': 'repaired',
  'lots-unknown': 'dropped',
  'balance-unknown': 'dropped',
  'no-program': 'dropped',
  'unknown-program': 'repaired',
  'unknown-name': 'dropped',
  'other-customer': 'dropped',
  'not-marketing': 'dropped',
  'unknown-outlier-status': 'dropped',
  'unclear-amount': 'dropped',
  'bill-differs': 'dropped',
  'other-bill': 'dropped',
  'opt-out-counts': 'repaired',
  'payload-left-out': 'truncated',
  'protected-field': 'dropped',
  'path-in-use': 'dropped',
  shrunk: 'truncated',
  'near-limit': 'truncated',
  'not-utf-8': 'repaired',
  'enrichment-incomplete': 'dropped',
  'more-notes': 'truncated',
};

/** All codes. They are stable and used as metric labels. */
export const NOTE_CODES = Object.keys(MESSAGES) as readonly NoteCode[];

/** Limits the notes of one event, because a malformed event could have any number of them. */
const MAX_NOTES = 100;
/** Field names can come from the payload; no meaningful path is longer. */
const MAX_PATH_CHARS = 200;

/** Collects the notes of one mapping, each once. */
export interface Notes {
  /** @param detail is added to the message; it must contain no value of the event */
  add(path: string, code: NoteCode, detail?: string): void;
  list(): readonly MappingNote[];
}

export function createNotes(): Notes {
  const collected = new Map<string, MappingNote>();
  return {
    add(fullPath, code, detail) {
      const path = fullPath.slice(0, MAX_PATH_CHARS).toWellFormed();
      if (collected.size < MAX_NOTES) {
        collected.set(`${code} ${path}`, noteOf(path, code, detail));
      } else {
        collected.set('more-notes', MORE_NOTES);
      }
    },
    list: () => [...collected.values()],
  };
}

/** The note of a code; a stored code can be unknown to this version. */
export function noteOf(path: string, code: string, detail?: string): MappingNote {
  if (!isNoteCode(code)) {
    return { kind: 'dropped', path, code, message: 'this code is from another version of the relay' };
  }
  const [kind, message] = [KINDS[code], MESSAGES[code]];
  return detail === undefined
    ? { kind, path, code, message }
    : { kind, path, code, message: `${message}: ${detail}`, detail };
}

const MORE_NOTES = noteOf('', 'more-notes');

/** At most as many notes as are stored with an event; if there are more, the last one says so. */
export function limitNotes(notes: readonly MappingNote[]): readonly MappingNote[] {
  return notes.length <= MAX_NOTES
    ? notes
    : [...notes.filter(({ code }) => code !== 'more-notes').slice(0, MAX_NOTES - 1), MORE_NOTES];
}

/** True for the codes of this version. */
function isNoteCode(code: string): code is NoteCode {
  return Object.hasOwn(MESSAGES, code);
}

/** Records the faults that `conform` finds; it passes their codes as strings. */
export function faultRecorder(notes: Notes): (path: string, code: string) => void {
  return (path, code) => notes.add(path, isNoteCode(code) ? code : 'wrong-type');
}
