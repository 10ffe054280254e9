import { isPrivateHost } from '../../config/address-checks.ts';

/** API hosts of Capillary's clusters (docs/platforms/capillary.md#api-access). */
const CLUSTERS: Readonly<Record<string, string>> = {
  eu: 'https://eu.api.capillarytech.com',
  apac: 'https://apac.api.capillarytech.com',
  apac2: 'https://apac2.api.capillarytech.com',
  sea: 'https://sea.api.capillarytech.com',
  us: 'https://us.api.capillarytech.com',
  ushc: 'https://ushc.api.capillarytech.com',
  china: 'https://api.capillarytech.cn.com',
};

/** What `init` has to know. */
export interface InitAnswers {
  /** Name of the source; also part of the names at Adobe and Capillary. */
  readonly name: string;
  readonly imsOrgId: string;
  readonly sandbox: string;
  readonly clientId: string;
  /** URL of Capillary's API host. */
  readonly cluster: string;
  /** Organisation at Capillary; undefined accepts any. */
  readonly orgId: string | undefined;
  /** Public base URL of the relay, without a trailing slash. */
  readonly url: string;
  readonly timezone: string;
  /** Two letters; undefined: phone numbers need their country code. */
  readonly country: string | undefined;
}

/** One question, and the flag that answers it. */
export interface InitQuestion {
  readonly key: keyof InitAnswers;
  readonly flag: string;
  readonly question: string;
  /** Undefined if there is none, and an answer is required. */
  readonly fallback: string | undefined;
  readonly isOptional?: boolean;
  /** Why a text is no answer; undefined if it is one. */
  readonly refuse: (text: string) => string | undefined;
}

function matching(pattern: RegExp, form: string): InitQuestion['refuse'] {
  return (text) => (pattern.test(text) ? undefined : `it must look like ${form}`);
}

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function isHttpUrl(text: string): boolean {
  return /^https?:\/\/[^/@]+$/.test(text) && URL.canParse(text);
}

/** Without TLS the secret is readable on the way (docs/platforms/capillary.md#static-header). */
function refuseWebhookUrl(text: string): string | undefined {
  const url = text.replace(/\/+$/, '');
  if (!isHttpUrl(url)) return 'it must be a URL without a path, such as https://relay.example.com';
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:' || isPrivateHost(hostname)) return undefined;
  return 'it must begin with https://: Capillary sends the secret header and data of customers to it';
}

/** The API host that an answer means: a name of CLUSTERS, or a URL. */
function clusterUrl(text: string): string | undefined {
  const known = Object.entries(CLUSTERS).find(([name]) => name === text.toLowerCase())?.[1];
  if (known !== undefined) return known;
  const url = text.replace(/\/+$/, '');
  return isHttpUrl(url) ? url : undefined;
}

export const QUESTIONS: readonly InitQuestion[] = [
  {
    key: 'name',
    flag: '--name',
    question: 'Name of the brand, in lower case',
    fallback: 'acme',
    refuse: matching(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, 'acme: letters, digits and -'),
  },
  {
    key: 'imsOrgId',
    flag: '--org',
    question: "Adobe organisation, from the Developer Console's credential",
    fallback: undefined,
    refuse: matching(/^[\w.-]+@AdobeOrg$/, '1A2B3C4D5E6F7A8B0A495C12@AdobeOrg'),
  },
  {
    key: 'sandbox',
    flag: '--sandbox',
    question: 'Sandbox of AEP',
    fallback: 'prod',
    refuse: matching(/^[\w-]+$/, 'prod'),
  },
  {
    key: 'clientId',
    flag: '--client-id',
    question: 'Client id of the OAuth server-to-server credential',
    fallback: undefined,
    refuse: matching(/^[\x21-\x7e]+$/, 'text without blanks'),
  },
  {
    key: 'cluster',
    flag: '--cluster',
    question: `Capillary's cluster: ${Object.keys(CLUSTERS).join(', ')}, or the URL of its API host`,
    fallback: 'eu',
    refuse: (text) =>
      clusterUrl(text) === undefined
        ? `it must be one of ${Object.keys(CLUSTERS).join(', ')}, or a URL such as ${CLUSTERS['eu']}`
        : undefined,
  },
  {
    key: 'orgId',
    flag: '--capillary-org',
    question: 'Id of the organisation at Capillary (empty: any)',
    fallback: '',
    isOptional: true,
    refuse: matching(/^\d{1,15}$/, '100737'),
  },
  {
    key: 'url',
    flag: '--url',
    question: 'Public URL of the relay, which Capillary posts to',
    fallback: undefined,
    refuse: refuseWebhookUrl,
  },
  {
    key: 'timezone',
    flag: '--timezone',
    question: 'Time zone of dates without one',
    fallback: 'UTC',
    refuse: (text) => (isTimeZone(text) ? undefined : 'it must be an IANA time zone such as Asia/Kolkata'),
  },
  {
    key: 'country',
    flag: '--country',
    question: 'Country of phone numbers without a country code (two letters; empty: none)',
    fallback: '',
    isOptional: true,
    refuse: matching(/^[A-Z]{2}$/, 'IN'),
  },
];

/** The answers from their texts, which all have been accepted. */
export function answersOf(texts: Readonly<Record<keyof InitAnswers, string>>): InitAnswers {
  return {
    ...texts,
    cluster: clusterUrl(texts.cluster) ?? texts.cluster,
    url: texts.url.replace(/\/+$/, ''),
    orgId: texts.orgId || undefined,
    country: texts.country || undefined,
  };
}
