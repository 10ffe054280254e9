import { profileShape } from '../../xdm/profile-shape.ts';
import type { SchemaFeatures } from '../../xdm/shape.ts';
import { type RecordClass, STANDARD_GROUPS } from '../../xdm/standard-groups.ts';
import type { ResolvedSchema } from './resolved-schema.ts';
import { compareShape, nodeAt } from './schema-comparison.ts';

/** What a sandbox offers for schemas that do not exist yet. */
export interface SandboxGroups {
  /** `$id` of each of Adobe's field groups that the sandbox has. */
  readonly ids: ReadonlySet<string>;
  /** The sandbox's copy of Loyalty Details (profile), resolved; absent if it could not be read. */
  readonly loyaltyDetails?: ResolvedSchema | undefined;
}

/** The schemas of a destination, resolved; absent ones do not exist, or could not be read. */
export type DestinationSchemas = Readonly<Partial<Record<RecordClass, ResolvedSchema>>>;

const FULL: SchemaFeatures = {
  loyalty2026: true,
  loyaltyEvents: true,
  placeContext: true,
  sourceAudit: true,
  consents: true,
};

/** `$id` of Loyalty Details, whose copy in a sandbox may lack the fields of 2026. */
export const LOYALTY_DETAILS_ID = 'https://ns.adobe.com/xdm/mixins/profile/profile-loyalty-details';

/**
 * Whether a field group or a schema has every loyalty field that Adobe added in 2026: they came at
 * two dates, and a sandbox can have those of the first only
 * (docs/platforms/adobe.md#profile-loyalty).
 */
function hasLoyalty2026(resolved: ResolvedSchema | undefined): boolean {
  const shape = profileShape(FULL, undefined).fields['loyalty'];
  if (resolved === undefined || shape === undefined) return false;
  const faults = compareShape(shape, nodeAt(resolved, 'loyalty'), resolved);
  return faults.every(({ kind }) => kind === 'required');
}

function featuresFrom(has: (feature: keyof SchemaFeatures) => boolean): SchemaFeatures {
  const names = Object.keys(FULL) as (keyof SchemaFeatures)[];
  return Object.fromEntries(names.map((name) => [name, has(name)])) as unknown as SchemaFeatures;
}

/** The `schemaFeatures` of a destination whose schemas get every field group of the sandbox. */
export function schemaFeaturesOf({ ids, loyaltyDetails }: SandboxGroups): SchemaFeatures {
  return featuresFrom((feature) => {
    if (feature === 'loyalty2026') return ids.has(LOYALTY_DETAILS_ID) && hasLoyalty2026(loyaltyDetails);
    return STANDARD_GROUPS.some((group) => group.feature === feature && ids.has(group.id));
  });
}

/** The `schemaFeatures` that schemas allow which exist already. */
export function schemaFeaturesIn(schemas: DestinationSchemas): SchemaFeatures {
  return featuresFrom((feature) => {
    if (feature === 'loyalty2026') return hasLoyalty2026(schemas.profile);
    return STANDARD_GROUPS.filter((group) => group.feature === feature).every(({ classes, fields }) =>
      classes.every((record) => {
        const schema = schemas[record];
        return schema !== undefined && fields.every((field) => nodeAt(schema, field) !== undefined);
      }),
    );
  });
}
