import type { IdentifierKind } from './identifiers.ts';

/*
 * Values that stand for a missing one: what tills, imports and templates write where a customer has
 * given no contact. AEP would join all strangers who have the same value, so none of them is an
 * identity, a contact point or a name. docs/mapping.md#placeholders describes these lists.
 */

/** Why a value is not the customer's own; also the code of its mapping note. */
export type PlaceholderFault = 'placeholder' | 'masked';

/** Splits a list that would need a line for each word. */
function words(text: string): readonly string[] {
  return text.split(/\s+/);
}

/** Words that mean "none", compared in lower case without separators and brackets. */
const NOTHING = new Set(['null', 'nil', 'none', 'undefined', 'na', 'nan', 'unknown', 'anonymous']);

/** More such words in ids; as names they can be real (Guest, Blank). */
const NO_ID = new Set(
  words(`blank empty missing invalid tbd tba dummy test example guest default walkin
  temp customer nobody no true false`),
);

/** `NOT-CAPTURED`, `Not Available`, `noMobile`, without separators. */
const NOT_GIVEN =
  /^(?:not?|non)(?:available|applicable|given|provided|captured|collected|known|set|found|specified|shared|assigned|entered|registered|mentioned|updated|data|value|id|card|cardnumber|number|name|mobile|phone|contact|address|e?mail|e?mailid|info|customer|user|reply)s?$/;

/** Only zeros or only punctuation, such as `0`, `000`, `---`; also the zero GUID. */
const ZERO_OR_PUNCTUATION = /^[-.?_/\\\s0]+$/;

/** `{{externalId}}`, `${x}`, `<%= x %>`, `%%x%%`, `*|X|*`, `[[x]]`, `{name}`, `%name%`. */
const TEMPLATE =
  /\{\{|\}\}|\$\{|<%|%>|\{%|%%|\*\||\[\[|^\{[a-z_. ]+\}$|^%[a-z_.]+%$|^<[a-z_. ]+>$|^#\{.*\}$|^\{[!#].*\}$/i;

/** No character of a template: most values, which need no further search. */
const PLAIN = /^[\w.@+-]+$/;

/** An object that a program printed: `Customer@1b6d3586`. */
const PRINTED_REFERENCE = /^[\w.]+@[0-9a-f]{6,8}$/;

/** `[object Object]`, `{}`, `{"a":1}`, `{id=1}`; also errors of a spreadsheet (`#N/A`, `#REF!`). */
const PRINTED_OBJECT =
  /^\[object\b|^\{\s*\}$|^\[\s*\]$|^\{[^:=]*[:=].*\}$|^\[\s*["{[].*\]$|^#(?:n\/a|ref!|value!|name\?|null!|num!|div\/0!)$/i;

/** Masked characters: `98******45`, `XXXXXXXX1234`, `a***@example.org`. */
const MASKED = /\*{2,}|\*.*@|[•●]|x{4,}|#{3,}/i;

/** Ids of trial customers: `TEST12`, `dummy-1`, `walkin-customer`, without separators. */
const TRIAL_ID = /^(?:test|dummy|walkins?|fake)(?:customer|card|id|user|number|account)?\d{0,4}$/;

/**
 * Before the @, without separators: no e-mail address, a trial, a person who walked in. Names that
 * begin alike (`norah`, `nathan`, `testa`, `walker`) do not match.
 */
const NO_MAILBOX =
  /^(?:noe?mail.*|(?:not?|non)(?:reply|id|contact|address|name|customer|user|mobile|phone|number|data|info|available|applicable|given|provided|captured|known)s?\d*|donotreply\d*|(?:test|dummy|fake)(?:user|customer|e?mail|account|mobile|id|er|ing|s)?\d*|walkins?(?:customer|guest|store|client|user)?s?\d*|(?:guest|sample)\d{0,3}|(?:demo|example|anonymous|unknown|null|undefined|none|temp|default)\d*|customer|nobody|noone|e?mail|(?:abcd?|xyz|asdf*g?|qwe|qwerty)(?:123)?)$/;

/** The same with a separator: `test.user`, `walk-in_12`, `na-45`, `no_7`. */
const NO_MAILBOX_PARTS =
  /^(?:(?:test|dummy|fake|walk[._-]?ins?)[._+-].+|n[ao][._-]+\d+|na[._-](?:customer|e?mail|mobile|phone|number|id|user)\d*)$/;

/** Mailboxes of a role, which many people read, and of stores, without separators. */
const ROLES = new Set(
  words(`info admin administrator support help helpdesk noreply donotreply sales care
    customercare customerservice customersupport contact contactus feedback enquiry
    enquiries inquiry inquiries billing accounts accounting finance hr jobs careers office
    reception frontdesk headoffice marketing newsletter webmaster postmaster hostmaster
    mailerdaemon abuse root service services order orders crm loyalty team store stores shop
    pos cashier counter outlet branch storemanager manager`),
);

/** `store12@…`, `pos-3@…`, `store.mumbai@…`, `info2@…`. */
const NUMBERED_ROLE =
  /^(?:(?:store|shop|pos|outlet|cashier|counter|branch)[._-]?\d+|(?:store|shop|pos|outlet)[._-].+|(?:info|admin|support|sales|care)\d{1,2})$/;

/** Domains that mean "none": `…@noemail.com`, `…@no.co.in`. */
const NO_DOMAIN =
  /^(?:no|none|na|null|noe?mail|no-email|dummy|fake|test|invalid)\.(?:[a-z]+|(?:co|com|net|org)\.[a-z]{2})$/;

/** A number of repeated or consecutive digits that is this long is not a real one. */
const MIN_DUMMY_DIGITS = 8;

/**
 * The reason why a value identifies nobody, or undefined. Of a phone number whose country is not
 * known only the clearest patterns are found; `readPhone` finds the others.
 */
export function placeholderFault(kind: IdentifierKind, value: string): PlaceholderFault | undefined {
  if (isForNobody(kind, value) || isUnresolved(value)) {
    return 'placeholder';
  }
  return isMasked(value) ? 'masked' : undefined;
}

function isForNobody(kind: IdentifierKind, value: string): boolean {
  if (kind === 'email' && value.includes('@')) {
    return isNoMailbox(value.toLowerCase());
  }
  if (kind === 'phone' && E164.test(value)) {
    return isNoPhone(value.slice(1));
  }
  if (kind === 'phone') {
    return isNoWord(value) || isNoPhone(value.replaceAll(/\D/g, ''));
  }
  return kind === 'email' ? isNoWord(value) : isNoId(value);
}

/** A number in normal form needs no comparison with words. */
const E164 = /^\+\d+$/;
/** Digits of a national number in most countries. */
const NATIONAL_DIGITS = 10;

function isNoPhone(digits: string): boolean {
  const national = digits.slice(-NATIONAL_DIGITS);
  return (
    digits.length >= MIN_DUMMY_DIGITS &&
    (isDummyPhone(digits) || isDummyNumber(national) || isTwoRuns(national))
  );
}

/** True for an unresolved template and for a printed object. */
export function isUnresolved(text: string): boolean {
  return PLAIN.test(text) ? PRINTED_REFERENCE.test(text) : TEMPLATE.test(text) || PRINTED_OBJECT.test(text);
}

export function isMasked(text: string): boolean {
  return MASKED.test(text);
}

/** True for a text that means "none", such as `N/A`, `(null)`, `Not Available`, `-`. */
export function isNothing(text: string): boolean {
  return isNothingWord(text, withoutSeparators(text));
}

function isNothingWord(text: string, word: string): boolean {
  return ZERO_OR_PUNCTUATION.test(text) || NOTHING.has(word) || NOT_GIVEN.test(word);
}

/** For a text that is neither an address nor a number, whatever else it says. */
function isNoWord(text: string): boolean {
  const word = withoutSeparators(text);
  return text === '-1' || ZERO_OR_PUNCTUATION.test(text) || NOTHING.has(word) || NO_ID.has(word);
}

function isNoId(text: string): boolean {
  const word = withoutSeparators(text);
  return (
    text === '-1' ||
    isNothingWord(text, word) ||
    NO_ID.has(word) ||
    TRIAL_ID.test(word) ||
    (text.length >= MIN_DUMMY_DIGITS && isDummyNumber(text))
  );
}

/** @param address in lower case */
function isNoMailbox(address: string): boolean {
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  const domain = address.slice(at + 1);
  const plain = withoutSeparators(local);
  return (
    ['no', 'na', 'n/a', 'nil', '-1'].includes(local) ||
    ZERO_OR_PUNCTUATION.test(local) ||
    // `xxx@…`
    (local.length > 2 && local === local.charAt(0).repeat(local.length)) ||
    NOT_GIVEN.test(plain) ||
    NO_MAILBOX.test(plain) ||
    NO_MAILBOX_PARTS.test(local) ||
    ROLES.has(plain) ||
    NUMBERED_ROLE.test(local) ||
    NO_DOMAIN.test(domain) ||
    // `a@a.com`, `ab@ab.in`
    (local.length <= 2 && domain.split('.', 1)[0] === local) ||
    (/^\d{8,}$/.test(local) && (isDummyNumber(local) || isTwoRuns(local)))
  );
}

/** Lower case, without brackets, quotes, spaces and the usual separators. */
function withoutSeparators(text: string): string {
  const word = text.toLowerCase();
  return /^[a-z\d]*$/.test(word) ? word : word.replaceAll(/[\s._/\\+\-()[\]<>{}"'`]/g, '');
}

/** One digit repeated, except for the first: `9999999999`, `9000000000`. */
const REPEATED = /^\d(\d)\1{5,}$/;
const ASCENDING_DIGITS = '01234567890123456789';
const DESCENDING_DIGITS = '98765432109876543210';

/** True for digits that are repeated or consecutive from the first to the last. */
export function isDummyNumber(digits: string): boolean {
  return REPEATED.test(digits) || isConsecutive(digits);
}

function isConsecutive(digits: string): boolean {
  return ASCENDING_DIGITS.includes(digits) || DESCENDING_DIGITS.includes(digits);
}

/** Digits of a number that nobody has, one of them or two in turn: `9812222222`, `9191919191`. */
const LONG_REPETITION = /(\d)\1{6,}|^(\d\d)\2{4,}$/;
/** Shorter numbers have too few digits to tell an invented one from a memorable one. */
const MIN_PATTERN_DIGITS = 9;

/**
 * True for digits that people type instead of a phone number, without its calling code: repeated
 * (`9999999999`), consecutive (`1234567890`, `9123456789`), or one of each
 * (`9876500000`, `9999988888`). Memorable numbers that can be real, such as `9845012345` and
 * `9812300000`, are not.
 */
export function isDummyPhone(digits: string): boolean {
  return (
    isDummyNumber(digits) ||
    LONG_REPETITION.test(digits) ||
    (digits.length > MIN_PATTERN_DIGITS && isConsecutive(digits.slice(1))) ||
    isTwoRuns(digits)
  );
}

const MIN_RUN_DIGITS = 4;
const MIN_EQUAL_DIGITS = 5;

/** Two runs of four or more equal or consecutive digits, at least one of five equal ones. */
function isTwoRuns(digits: string): boolean {
  if (digits.length < MIN_PATTERN_DIGITS) {
    return false;
  }
  const end = runEnd(digits, 0);
  return (
    end >= MIN_RUN_DIGITS &&
    digits.length - end >= MIN_RUN_DIGITS &&
    runEnd(digits, end) === digits.length &&
    [digits.slice(0, end), digits.slice(end)].some(
      (run) => run.length >= MIN_EQUAL_DIGITS && run[0] === run[1],
    )
  );
}

/** Where the digits from `start` on no longer change by the same 0, 1 or -1. */
function runEnd(digits: string, start: number): number {
  const stepAt = (at: number): number => digits.charCodeAt(at) - digits.charCodeAt(at - 1);
  const step = stepAt(start + 1);
  let end = start + 1;
  while (Math.abs(step) <= 1 && end < digits.length && stepAt(end) === step) {
    end += 1;
  }
  return end;
}
