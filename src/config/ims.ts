import { z } from 'zod';
import { secretList } from './secret-list.ts';
import { httpUrl } from './text.ts';

const TOKEN_URL = 'https://ims-na1.adobelogin.com/ims/token/v3';

/** What the Developer Console prints for a project that holds the AEP API. */
const AEP_SCOPES = [
  'openid',
  'AdobeID',
  'read_organizations',
  'additional_info.projectedProductContext',
  'session',
];

function splitScopes(text: string): string[] {
  return text.split(/[\s,]+/).filter((scope) => scope !== '');
}

/** The OAuth server-to-server credential of the Adobe Developer Console. */
export const imsSchema = z.strictObject({
  url: httpUrl(TOKEN_URL)
    .default(TOKEN_URL)
    .describe('Token endpoint of Adobe IMS. Adobe documents v3; the unversioned /ims/token works too.'),
  clientId: z
    .string()
    .min(1, { error: 'must not be empty; is its environment variable set?' })
    .describe('Client id of the OAuth server-to-server credential.'),
  clientSecrets: secretList().describe(
    'Its client secrets, tried in order; a credential holds two at once so that they can be changed without a gap.',
  ),
  scopes: z
    .union([z.array(z.string()), z.string().transform(splitScopes)], {
      error: 'must be a list of scopes, or one text with commas',
    })
    .transform((scopes) => scopes.flatMap(splitScopes))
    .prefault(AEP_SCOPES)
    .describe(
      'Scopes as the Developer Console prints them for the credential: a list, or one text with commas or spaces.',
    ),
});
