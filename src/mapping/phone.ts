import {
  type CountryCode,
  isSupportedCountry,
  parsePhoneNumberFromString,
  type PhoneNumber,
} from 'libphonenumber-js/min';

/** A dummy joins strangers in the identity graph: one digit repeated, or digits counted up or down. */
const REPEATED = /^(\d)\1+$/;
const COUNTED = '01234567890123456789';
const COUNTED_DOWN = '98765432109876543210';

/**
 * A phone number as E.164 (`+919876543210`), or undefined for a hash, a dummy and whatever else is no number. Capillary writes the country
 * code without a plus (reference: capillary.md §5), brands often leave it out: then it is that of `country`.
 *
 * A number that is valid in the country wins. Else it must at least be a possible one with its country code, because the ranges
 * in use grow faster than any list of them.
 */
export function toE164(text: string, country: string | undefined): string | undefined {
  const trimmed = text.trim();
  if (!/^[+\d][\d\s().-]{5,24}$/.test(trimmed)) {
    return undefined;
  }
  const digits = trimmed.replaceAll(/\D/g, '').replace(/^00/, '');
  const isInternational = trimmed.startsWith('+') || trimmed.startsWith('00');
  const national = isInternational ? undefined : parsePhoneNumberFromString(digits, knownCountry(country));
  const international = parsePhoneNumberFromString(`+${digits}`);
  const found = [national, international].find((phone) => phone?.isValid()) ?? possible(international);
  return found === undefined || isDummy(found.nationalNumber) ? undefined : found.number;
}

/** Eleven digits at least: a shorter one is rather a number without its country code than one of a small country. */
function possible(phone: PhoneNumber | undefined): PhoneNumber | undefined {
  return phone?.isPossible() === true && phone.number.length > 11 ? phone : undefined;
}

function isDummy(national: string): boolean {
  return REPEATED.test(national) || COUNTED.includes(national) || COUNTED_DOWN.includes(national);
}

const knownCountry = (country: string | undefined): CountryCode | undefined =>
  country !== undefined && isSupportedCountry(country) ? country : undefined;
