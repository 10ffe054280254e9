import {
  type CountryCode,
  getCountryCallingCode,
  isSupportedCountry,
  parsePhoneNumberFromString as parseListed,
  type PhoneNumber,
} from 'libphonenumber-js/max';
import { parsePhoneNumberFromString as parseByForm } from 'libphonenumber-js/min';
import mobileExamples from 'libphonenumber-js/mobile/examples';
import { createRecent } from './recent.ts';

/** One digit repeated, but for the first: `9999999999`, `9000000000`. */
const REPEATED = /^\d(\d)\1{5,}$/;
const COUNTED_UP = '01234567890123456789';
const COUNTED_DOWN = '98765432109876543210';

/**
 * A phone number as E.164 (`+919876501234`), or undefined for a hash, a dummy and whatever else is no number.
 * Capillary writes the country code without a plus (reference: capillary.md §5); brands often leave it out:
 * then it is that of `country`.
 *
 * The digits are read with the code of `country` in front, as a number of `country`, and with the code of
 * another; the first of these that is a mobile number wins, then the first that is any number. Else it must at
 * least have the length of a mobile number, because the ranges in use grow faster than any list of them.
 */
export function toE164(text: string, country: string | undefined): string | undefined {
  const plain = text.replaceAll(/\p{Cf}/gu, '').trim();
  if (!/^\(?\+?[\d\s().-]{6,25}$/.test(plain)) {
    return undefined;
  }
  return known.get(`${country} ${plain}`, () => read(plain, knownCountry(country)));
}

/**
 * Numbers read of late: the events of a customer come close together, and to read one anew costs as much as all else of a thin event. One
 * takes about 150 bytes.
 */
const known = createRecent<string | undefined>(10_000);

function read(plain: string, home: CountryCode | undefined): string | undefined {
  const found =
    listed(plain, home) ??
    [...readings(plain, home, parseByForm)].find(
      (phone) => phone?.isValid() === true && hasMobileLength(phone),
    ) ??
    likely(parseListed(`+${digitsOf(plain)}`));
  return found === undefined || isDummyNumber(found.nationalNumber) ? undefined : found.number;
}

/** The first reading that is a mobile number, and so valid; else the first that is valid. */
function listed(text: string, home: CountryCode | undefined): PhoneNumber | undefined {
  let first: PhoneNumber | undefined;
  for (const phone of readings(text, home, parseListed)) {
    if (phone !== undefined && isMobile(phone)) {
      return phone;
    }
    first ??= phone?.isValid() === true ? phone : undefined;
  }
  return first;
}

type Parse = (text: string, country?: CountryCode) => PhoneNumber | undefined;

/** What a text can mean by one of the two lists of ranges, the likeliest first. One by one: mostly the first is it, and parsing is dear. */
function* readings(
  text: string,
  home: CountryCode | undefined,
  parse: Parse,
): Generator<PhoneNumber | undefined, void> {
  const digits = digitsOf(text);
  const isInternational = /^\(?(\+|00)/.test(text);
  if (!isInternational && home !== undefined) {
    yield ownCode(digits, home, parse);
    yield parse(digits, home);
  }
  yield parse(`+${digits}`);
}

/**
 * The digits as those of a calling code and a number of that country; tills write a zero before them too. No calling code is the beginning of
 * another, so digits that begin otherwise need no parsing.
 */
function ownCode(digits: string, home: CountryCode, parse: Parse): PhoneNumber | undefined {
  const international = digits.replace(/^0+/, '');
  return international.startsWith(getCountryCallingCode(home)) ? parse(`+${international}`) : undefined;
}

/** In some countries, such as the United States, nothing tells a mobile number from another. */
function isMobile(phone: PhoneNumber): boolean {
  return phone.getType()?.includes('MOBILE') === true;
}

function hasMobileLength(phone: PhoneNumber): boolean {
  return phone
    .getPossibleCountries()
    .some((country) => mobileExamples[country]?.length === phone.nationalNumber.length);
}

/**
 * Eleven digits at least: a shorter one is rather a number without its country code than one of a small
 * country.
 */
function likely(phone: PhoneNumber | undefined): PhoneNumber | undefined {
  return phone !== undefined && phone.number.length > 11 && hasMobileLength(phone) ? phone : undefined;
}

/** Without the zeros that people dial before a country code. */
function digitsOf(text: string): string {
  return text.replaceAll(/\D/g, '').replace(/^00/, '');
}

/** True for digits that people type where they have no number: they would join strangers in the identity graph. */
export function isDummyNumber(digits: string): boolean {
  return REPEATED.test(digits) || COUNTED_UP.includes(digits) || COUNTED_DOWN.includes(digits);
}

function knownCountry(country: string | undefined): CountryCode | undefined {
  return country !== undefined && isSupportedCountry(country) ? country : undefined;
}
