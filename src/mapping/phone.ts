import {
  type CountryCode,
  isSupportedCountry,
  parsePhoneNumberFromString,
  type PhoneNumber,
} from 'libphonenumber-js/min';
import mobileExamples from 'libphonenumber-js/mobile/examples';

/** A dummy joins strangers in the identity graph: one digit repeated, or digits counted up or down. */
const REPEATED = /^(\d)\1+$/;
const COUNTED_UP = '01234567890123456789';
const COUNTED_DOWN = '98765432109876543210';

/**
 * A phone number as E.164 (`+919876501234`), or undefined for a hash, a dummy and whatever else is no number.
 * Capillary writes the country code without a plus (reference: capillary.md §5); brands often leave it out:
 * then it is that of `country`.
 *
 * A number that is valid wins, as one of the country before as one with its country code. Else it must at
 * least have the length of a mobile number of its country code, because the ranges in use grow faster than
 * any list of them.
 */
export function toE164(text: string, country: string | undefined): string | undefined {
  const trimmed = text.trim();
  if (!/^[+(\d][\d\s().-]{5,24}$/.test(trimmed)) {
    return undefined;
  }
  const digits = trimmed.replaceAll(/\D/g, '').replace(/^00/, '');
  const isInternational = /^(\+|00)/.test(trimmed);
  const national = isInternational ? undefined : parsePhoneNumberFromString(digits, knownCountry(country));
  const international = parsePhoneNumberFromString(`+${digits}`);
  const found = [national, international].find((phone) => phone?.isValid()) ?? likely(international);
  return found === undefined || isDummy(found.nationalNumber) ? undefined : found.number;
}

/**
 * Eleven digits at least: a shorter one is rather a number without its country code than one of a small
 * country.
 */
function likely(phone: PhoneNumber | undefined): PhoneNumber | undefined {
  const hasMobileLength = phone
    ?.getPossibleCountries()
    .some((country) => mobileExamples[country]?.length === phone.nationalNumber.length);
  return hasMobileLength === true && (phone?.number.length ?? 0) > 11 ? phone : undefined;
}

const isDummy = (national: string): boolean =>
  REPEATED.test(national) || COUNTED_UP.includes(national) || COUNTED_DOWN.includes(national);

const knownCountry = (country: string | undefined): CountryCode | undefined =>
  country !== undefined && isSupportedCountry(country) ? country : undefined;
