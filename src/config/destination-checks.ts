import type { Finding } from './config-error.ts';
import type { Draft } from './draft.ts';

type DestinationDraft = Draft['destinations'][number];
type Check = (destination: DestinationDraft) => readonly Finding[];

const credential: Check = ({ authenticated, ...rest }) =>
  authenticated === true && 'ims' in rest && rest.ims === undefined
    ? [
        {
          path: ['ims'],
          message: 'is missing, while the destination is authenticated',
          cure: 'add `ims` with clientId and clientSecrets, or write `authenticated: false` if the connection is open',
        },
      ]
    : [];

/** An ExperienceEvent schema and a profile schema are of different classes, so neither they nor their datasets can be one. */
const apart: Check = ({ events, profile }) => {
  if (events === undefined || profile === undefined || profile.write === 'off') return [];
  const same = (['schemaId', 'datasetId'] as const).filter((key) => events[key] === profile[key]);
  return same.map((key) => ({
    path: ['profile', key],
    message: `is the ${key} of events too`,
    cure: 'events and profile records need a schema and a dataset each: copy the one made for profile records from AEP',
  }));
};

/** An identity dataset that is the profile's own would make each upsert replace the profile (adobe.md §4.3). */
const identityDataset: Check = ({ events, profile }) => {
  const id = profile?.identityDatasetId;
  if (id === undefined || (id !== profile?.datasetId && id !== events?.datasetId)) return [];
  return [
    {
      path: ['profile', 'identityDatasetId'],
      message: 'is a dataset that messages go into',
      cure: 'make a dataset of its own for it: of the profile schema, enabled for identities, not for Profile',
    },
  ];
};

const primary: Check = ({ identity }) => {
  if (identity === undefined || identity.namespaces[identity.primary] !== undefined) return [];
  return [
    {
      path: ['identity', 'primary'],
      message: `is ${identity.primary}, which has no namespace`,
      cure: `add \`${identity.primary}\` to identity.namespaces, or choose one that is there: ${Object.keys(identity.namespaces).join(', ')}`,
    },
  ];
};

const delays: Check = ({ retry }) => {
  if (retry === undefined || retry.minDelay <= retry.maxDelay) return [];
  return [
    {
      path: ['retry', 'minDelay'],
      message: 'is above retry.maxDelay',
      cure: 'make minDelay the smaller of the two, such as minDelay 1s and maxDelay 5m',
    },
  ];
};

const CHECKS: readonly Check[] = [credential, apart, identityDataset, primary, delays];

/** Checks of each destination, beyond what each key can tell by itself. */
export function destinationFindings({ destinations }: Draft): Finding[] {
  return destinations.flatMap((destination, index) =>
    CHECKS.flatMap((check) => check(destination)).map((finding) => ({
      ...finding,
      path: ['destinations', index, ...finding.path],
    })),
  );
}
