import { type CountryCode, getCountryCallingCode, Metadata } from 'libphonenumber-js/max';

/*
 * Most phone numbers of customers are mobile numbers with all their digits. Whether digits are one
 * is two regular expressions of the list of number ranges; the parser of the library takes thirty
 * times as long. What is not certain here is left to the parser, so both give the same result.
 */

/** A number in its parts. */
export interface ListedNumber {
  readonly callingCode: string;
  readonly national: string;
}

/** The ranges of one calling code. */
interface Ranges {
  readonly callingCode: string;
  /** The country whose ranges these are; others of the same calling code can be more special. */
  readonly main: CountryCode;
  /** National numbers of its main country. */
  readonly valid: RegExp;
  readonly mobile: RegExp;
  readonly mobileLengths: readonly number[];
  /** National numbers of any of its countries. */
  readonly anyValid: RegExp;
  /** What the parser takes for a prefix, dialled in the country or out of it. */
  readonly prefix: RegExp;
}

/** The parts of the library's list that its types leave out. */
interface RangeList {
  getCountryCodesForCallingCode(callingCode: string): readonly CountryCode[] | undefined;
  selectNumberingPlan(country: CountryCode): void;
  readonly numberingPlan: {
    nationalNumberPattern(): string;
    nationalPrefixForParsing(): string | null | undefined;
    leadingDigits(): string | 0 | undefined;
    IDDPrefix(): string;
    type(name: 'MOBILE' | 'FIXED_LINE'): { pattern(): string | 0; possibleLengths(): number[] } | undefined;
  };
}

const PLAIN_DIGITS = /^[1-9]\d{7,14}$/;
/** No calling code is the beginning of another. */
const MAX_CALLING_CODE_DIGITS = 3;

/**
 * Digits that are certainly a mobile number: with the calling code of `home`, else as a national
 * number of `home`, else with the calling code of another country. Undefined if the parser has to
 * decide.
 */
export function listedMobile(digits: string, home: CountryCode | undefined): ListedNumber | undefined {
  if (!PLAIN_DIGITS.test(digits)) {
    return undefined;
  }
  if (home !== undefined) {
    const own = rangesOf(getCountryCallingCode(home));
    if (own !== undefined && digits.startsWith(own.callingCode)) {
      return numberIn(own, digits.slice(own.callingCode.length));
    }
    if (own?.main !== home || own.prefix.test(digits)) {
      return undefined;
    }
    if (own.anyValid.test(digits)) {
      return numberIn(own, digits);
    }
  }
  for (let length = 1; length <= MAX_CALLING_CODE_DIGITS; length += 1) {
    const ranges = rangesOf(digits.slice(0, length));
    if (ranges !== undefined) {
      return numberIn(ranges, digits.slice(length));
    }
  }
  return undefined;
}

/** The number if it is a mobile number of the main country, without a prefix. */
function numberIn(ranges: Ranges, national: string): ListedNumber | undefined {
  const isMobile =
    ranges.mobileLengths.includes(national.length) &&
    !ranges.prefix.test(national) &&
    ranges.valid.test(national) &&
    ranges.mobile.test(national);
  return isMobile ? { callingCode: ranges.callingCode, national } : undefined;
}

/** By calling code, of which there are some two hundred. */
const known = new Map<string, Ranges | undefined>();

function rangesOf(callingCode: string): Ranges | undefined {
  const ranges = known.get(callingCode);
  if (ranges !== undefined || known.has(callingCode)) {
    return ranges;
  }
  const read = readRanges(callingCode);
  known.set(callingCode, read);
  return read;
}

/** Undefined if there is no such calling code, or if its main country has no ranges of its own. */
function readRanges(callingCode: string): Ranges | undefined {
  const list = new Metadata() as unknown as RangeList;
  const countries = list.getCountryCodesForCallingCode(callingCode) ?? [];
  const [main] = countries;
  if (main === undefined) {
    return undefined;
  }
  const anyValid = countries.map((country) => {
    list.selectNumberingPlan(country);
    return list.numberingPlan.nationalNumberPattern();
  });
  list.selectNumberingPlan(main);
  const plan = list.numberingPlan;
  // The list leaves out the mobile numbers if they look like those of the fixed network.
  const [mobile, fixed] = [plan.type('MOBILE'), plan.type('FIXED_LINE')];
  const ranges = mobile === undefined || isAbsent(mobile.pattern()) ? fixed : mobile;
  const pattern = ranges?.pattern();
  if (ranges === undefined || isAbsent(pattern) || !isAbsent(plan.leadingDigits())) {
    return undefined;
  }
  const prefixes = [plan.nationalPrefixForParsing(), plan.IDDPrefix()].filter((prefix) => !isAbsent(prefix));
  return {
    callingCode,
    main,
    valid: entirely(plan.nationalNumberPattern()),
    mobile: entirely(pattern),
    mobileLengths: ranges.possibleLengths(),
    anyValid: entirely(anyValid.join('|')),
    prefix: new RegExp(`^(?:${prefixes.join('|')})`),
  };
}

function isAbsent(pattern: string | 0 | null | undefined): pattern is '' | 0 | null | undefined {
  return pattern === undefined || pattern === null || pattern === 0 || pattern === '';
}

function entirely(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}
