import {
  type CountryCode,
  getCountryCallingCode,
  isSupportedCountry,
  type PhoneNumber,
  parsePhoneNumberFromString as parseListed,
} from 'libphonenumber-js/max';
import { parsePhoneNumberFromString as parseByForm } from 'libphonenumber-js/min';
import mobileExamples from 'libphonenumber-js/mobile/examples';
import { isDummyPhone } from '../capillary/placeholder-values.ts';
import { listedMobile } from './mobile-ranges.ts';
import { createRecentCache, type RecentCache } from './recent-cache.ts';

/** Why a text is not a phone number; also the code of its mapping note. */
export interface PhoneFault {
  readonly code: 'not-a-phone' | 'placeholder';
}

const NOT_A_PHONE: PhoneFault = { code: 'not-a-phone' };
/** Digits that people type instead of a number. */
const INVENTED: PhoneFault = { code: 'placeholder' };

/**
 * A phone number in E.164 form (`+919876501234`); undefined for hashes, dummy numbers and any other
 * string. Capillary writes the calling code without a plus
 * (docs/platforms/capillary.md#identifiers); many brands omit it, and the code of `country` is
 * assumed.
 *
 * The digits are interpreted with the calling code of `country`, as a national number of `country`,
 * and with the calling code of another country. The first interpretation that is a mobile number
 * wins, then the first that is any valid number. Otherwise the number must at least have the length
 * of a mobile number, because new ranges are in use before they appear in any list.
 */
export function toE164(text: string, country: string | undefined): string | undefined {
  const phone = readPhone(text, country);
  return typeof phone === 'string' ? phone : undefined;
}

/** The number like `toE164`, or why there is none. */
export function readPhone(text: string, country: string | undefined): string | PhoneFault {
  const plain = /^\d+$/.test(text) ? text : text.replaceAll(/\p{Cf}/gu, '').trim();
  if (!/^\(?\+?[\d\s().-]{6,25}$/.test(plain)) {
    return NOT_A_PHONE;
  }
  return recentNumbersOf(country).get(plain, () => parsePhone(plain, supportedCountry(country)));
}

/**
 * Recently parsed numbers: the events of a customer arrive close together, and parsing a number
 * costs as much as mapping the rest of a small event. An entry uses about 150 bytes.
 */
const recentNumbers = new Map<string | undefined, RecentCache<string | PhoneFault>>();

/** By country, of which there are few: one for each source. */
function recentNumbersOf(country: string | undefined): RecentCache<string | PhoneFault> {
  const known = recentNumbers.get(country) ?? createRecentCache<string | PhoneFault>(10_000);
  recentNumbers.set(country, known);
  return known;
}

function parsePhone(plain: string, home: CountryCode | undefined): string | PhoneFault {
  const mobile = OLD_MEXICAN_MOBILE.test(plain) ? undefined : listedMobile(plain, home);
  if (mobile !== undefined) {
    return isDummyPhone(mobile.national) ? INVENTED : `+${mobile.callingCode}${mobile.national}`;
  }
  const found =
    firstListed(plain, home) ??
    [...interpretations(plain, home, parseByForm)].find(
      (phone) => phone?.isValid() === true && hasMobileLength(phone),
    ) ??
    acceptIfLikely(parseListed(`+${digitsOf(plain)}`));
  if (found === undefined) {
    return isInvented(digitsOf(plain), home) ? INVENTED : NOT_A_PHONE;
  }
  return isDummyPhone(found.nationalNumber) ? INVENTED : found.number;
}

/** Digits in no number range: invented with or without the calling code of `home`. */
function isInvented(digits: string, home: CountryCode | undefined): boolean {
  const code = home === undefined ? '' : getCountryCallingCode(home);
  return isDummyPhone(digits) || (digits.startsWith(code) && isDummyPhone(digits.slice(code.length)));
}

/** The first interpretation that is a mobile number, and so valid; else the first valid one. */
function firstListed(text: string, home: CountryCode | undefined): PhoneNumber | undefined {
  let first: PhoneNumber | undefined;
  for (const phone of interpretations(text, home, parseListed)) {
    if (phone !== undefined && isMobile(phone)) {
      return phone;
    }
    first ??= phone?.isValid() === true ? phone : undefined;
  }
  return first;
}

/**
 * A Mexican mobile number as it was dialled from abroad until 2019, with a 1 between the calling
 * code and the ten digits. No other country has numbers of this form.
 */
const OLD_MEXICAN_MOBILE = /^521(\d{10})$/;

type Parse = (text: string, country?: CountryCode) => PhoneNumber | undefined;

/**
 * The possible interpretations of a text by one of the two lists of number ranges, the most likely
 * first. Generated one by one, because parsing is expensive and the first is usually right.
 */
function* interpretations(
  text: string,
  home: CountryCode | undefined,
  parse: Parse,
): Generator<PhoneNumber | undefined, void> {
  const digits = digitsOf(text);
  const mexican = OLD_MEXICAN_MOBILE.exec(digits)?.[1];
  if (mexican !== undefined) {
    yield parse(`+52${mexican}`);
  }
  const isInternational = /^\(?(\+|00)/.test(text);
  if (!isInternational && home !== undefined) {
    yield withHomeCode(digits, home, parse);
    yield parse(digits, home);
  }
  yield parse(`+${digits}`);
}

/**
 * Parses the digits as the calling code of `home` and a number of that country, with or without
 * leading zeros. No calling code is the beginning of another, so digits with another prefix need no
 * parsing.
 */
function withHomeCode(digits: string, home: CountryCode, parse: Parse): PhoneNumber | undefined {
  const international = digits.replace(/^0+/, '');
  return international.startsWith(getCountryCallingCode(home)) ? parse(`+${international}`) : undefined;
}

/** In some countries, such as the United States, mobile and fixed-line numbers look the same. */
function isMobile(phone: PhoneNumber): boolean {
  return phone.getType()?.includes('MOBILE') === true;
}

function hasMobileLength(phone: PhoneNumber): boolean {
  return phone
    .getPossibleCountries()
    .some((country) => mobileExamples[country]?.length === phone.nationalNumber.length);
}

/** Needs at least eleven digits: a shorter number more likely lacks its calling code. */
function acceptIfLikely(phone: PhoneNumber | undefined): PhoneNumber | undefined {
  return phone !== undefined && phone.number.length > 11 && hasMobileLength(phone) ? phone : undefined;
}

/** The digits without the zeros that people dial before a calling code. */
function digitsOf(text: string): string {
  return text.replaceAll(/\D/g, '').replace(/^00/, '');
}

function supportedCountry(country: string | undefined): CountryCode | undefined {
  return country !== undefined && isSupportedCountry(country) ? country : undefined;
}
