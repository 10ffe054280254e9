import type { Finding } from './config-error.ts';
import type { DestinationDraft, Draft } from './draft.ts';

type Check = (destination: DestinationDraft) => readonly Finding[];

const checkCredential: Check = ({ authenticated, ...rest }) =>
  authenticated === true && 'ims' in rest && rest.ims === undefined
    ? [
        {
          path: ['ims'],
          message: 'is missing, but the destination is authenticated',
          fix: 'add `ims` with clientId and clientSecrets, or write `authenticated: false` if the connection is open',
        },
      ]
    : [];

/**
 * ExperienceEvents and profile records have schemas of different classes, so they cannot share a
 * schema or dataset.
 */
const checkDataflows: Check = ({ events, profile }) => {
  if (events === undefined || profile === undefined || profile.write === 'off') return [];
  const same = (['schemaId', 'datasetId'] as const).filter((key) => events[key] === profile[key]);
  return same.map((key) => ({
    path: ['profile', key],
    message: `is the same as events.${key}`,
    fix: 'events and profile records need a schema and a dataset each: copy the id of the one for profile records from AEP',
  }));
};

/**
 * If the identity dataset were the dataset of the profile records, each upsert would replace the
 * profile (docs/platforms/adobe.md#upserts).
 */
const checkIdentityDataset: Check = ({ events, profile }) => {
  const id = profile?.identityDatasetId;
  if (id === undefined || (id !== profile?.datasetId && id !== events?.datasetId)) return [];
  return [
    {
      path: ['profile', 'identityDatasetId'],
      message: 'is the dataset of events or profile records',
      fix: 'create a separate dataset for it: with the profile schema, enabled for identities, not for Profile',
    },
  ];
};

const checkPrimary: Check = ({ identity }) => {
  if (identity === undefined || identity.namespaces[identity.primary] !== undefined) return [];
  return [
    {
      path: ['identity', 'primary'],
      message: `is ${identity.primary}, which has no namespace`,
      fix: `add \`${identity.primary}\` to identity.namespaces, or choose one that is defined: ${Object.keys(identity.namespaces).join(', ')}`,
    },
  ];
};

const checkDelays: Check = ({ retry }) => {
  if (retry === undefined || retry.minDelay <= retry.maxDelay) return [];
  return [
    {
      path: ['retry', 'minDelay'],
      message: 'is above retry.maxDelay',
      fix: 'make minDelay the smaller of the two, such as minDelay 1s and maxDelay 5m',
    },
  ];
};

const CHECKS: readonly Check[] = [
  checkCredential,
  checkDataflows,
  checkIdentityDataset,
  checkPrimary,
  checkDelays,
];

/** Problems between keys of each destination. */
export function destinationFindings({ destinations }: Draft): Finding[] {
  return destinations.flatMap((destination, index) =>
    CHECKS.flatMap((check) => check(destination)).map((finding) => ({
      ...finding,
      path: ['destinations', index, ...finding.path],
    })),
  );
}
