import { isSupportedCountry } from 'libphonenumber-js/min';
import type { Finding } from '../config/config-error.ts';
import type { SourceDraft } from '../config/draft.ts';

/** Codes of languages or of other lists that are written instead of the country's. */
const CONFUSED: Readonly<Record<string, string>> = {
  EL: 'GR',
  EN: 'GB',
  HI: 'IN',
  JA: 'JP',
  KO: 'KR',
  SP: 'ES',
};

/**
 * A `SourceCheck`: the country must be one whose phone numbers are known; otherwise no number
 * without a country code could be read.
 */
export function checkCountry({ country }: SourceDraft): readonly Finding[] {
  if (country === undefined || isSupportedCountry(country)) {
    return [];
  }
  const meant = CONFUSED[country] ?? currentCode(country);
  return [
    {
      path: ['country'],
      message: `${country} is not the code of a country with phone numbers`,
      fix:
        meant === undefined
          ? 'write the ISO 3166 code of the country, such as IN or GB'
          : `write \`country: ${meant}\``,
    },
  ];
}

/** The code that replaced another one, such as GB for UK. */
function currentCode(country: string): string | undefined {
  const { region } = new Intl.Locale(`und-${country}`);
  return region !== undefined && isSupportedCountry(region) ? region : undefined;
}
