import { createRequire } from 'node:module';
import { Ajv, type ValidateFunction } from 'ajv/dist/ajv.js';
import { default as addFormats } from 'ajv-formats/dist/index.js';
import type { JsonObject } from '../../src/capillary/json.ts';
import {
  isListShape,
  isMapShape,
  isObjectShape,
  type Leaf,
  type SchemaFeatures,
  type Shape,
} from '../../src/xdm/shape.ts';
import { TENANT_EVENT_FIELDS, TENANT_PROFILE_FIELDS } from '../../src/xdm/tenant-fields.ts';
import { asObject, type ClosedSchema, openXdmSchemas } from './xdm-files.ts';

export interface ClosedXdmOptions {
  readonly features: SchemaFeatures;
  /** Tenant id such as `_acme`; its object allows only the fields that the relay documents. */
  readonly tenant?: string | undefined;
  /** Folder of Adobe's schema files. */
  readonly root: string;
}

export interface ClosedXdmValidators {
  readonly event: ValidateFunction;
  readonly profile: ValidateFunction;
}

const NS = 'https://ns.adobe.com/xdm/';
/** Fields of a profile's `loyalty` before 2026 (docs/platforms/adobe.md#profile-loyalty). */
export const CLASSIC_LOYALTY = [
  'joinDate',
  'loyaltyID',
  'points',
  'pointsExpiration',
  'pointsRedeemed',
  'program',
  'status',
  'tier',
  'upgradeDate',
];

const compiled = new Map<string, ClosedXdmValidators>();

/**
 * Validators for the schemas that our documentation requires of a destination, built from Adobe's
 * files. Every unknown field is an error. Compiled once for the same options.
 */
export function closedXdmValidators(options: ClosedXdmOptions): ClosedXdmValidators {
  const key = JSON.stringify(options);
  const validators = compiled.get(key) ?? compileValidators(options);
  compiled.set(key, validators);
  return validators;
}

function compileValidators({ features, tenant, root }: ClosedXdmOptions): ClosedXdmValidators {
  const schemas = openXdmSchemas(root);
  const event = schemas.close([
    `${NS}context/experienceevent`,
    `${NS}context/identitymap`,
    `${NS}context/experienceevent-commerce`,
    ...(features.loyaltyEvents ? [`${NS}context/experienceevent-loyalty-details`] : []),
    ...(features.placeContext ? [`${NS}context/experienceevent-environment-details`] : []),
  ]);
  const profile = schemas.close([
    `${NS}context/profile`,
    `${NS}context/identitymap`,
    `${NS}context/profile-person-details`,
    `${NS}context/profile-personal-details`,
    `${NS}mixins/profile/profile-loyalty-details`,
    `${NS}context/profile-preferences-details`,
    ...(features.sourceAudit ? [`${NS}common/external-source-system-audit-details`] : []),
    ...(features.consents ? [`${NS}mixins/profile-consents`] : []),
  ]);
  const dated = features.loyalty2026 ? profile : withClassicLoyalty(profile);
  const ajv = createValidator();
  return {
    event: ajv.compile(withTenant(event, tenant, TENANT_EVENT_FIELDS)),
    profile: ajv.compile(withTenant(dated, tenant, TENANT_PROFILE_FIELDS)),
  };
}

/**
 * AEP rejects other forms that JSON Schema accepts: a space, `+0530`, lower case
 * (docs/platforms/adobe.md#date-times).
 */
const AEP_DATE_TIME = /^[\d-]{10}T[\d:]{8}(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Adobe's schemas use JSON Schema draft 6. */
function createValidator(): Ajv {
  // Compiling takes longer than all validations: the optimizer does not pay.
  const code = { optimize: false };
  const ajv = new Ajv({ strict: true, strictTypes: false, allErrors: true, code });
  ajv.addMetaSchema(createRequire(import.meta.url)('ajv/dist/refs/json-schema-draft-06.json') as JsonObject);
  addFormats.default(ajv);
  const { validate } = addFormats.default.get('date-time') as { validate: (text: string) => boolean };
  ajv.addFormat('date-time', (text) => AEP_DATE_TIME.test(text) && validate(text));
  return ajv;
}

function withClassicLoyalty(profile: ClosedSchema): ClosedSchema {
  const loyalty = asObject(asObject(profile['properties'])['loyalty']);
  const classic = Object.entries(asObject(loyalty['properties'])).filter(([name]) =>
    CLASSIC_LOYALTY.includes(name),
  );
  return withProperty(profile, 'loyalty', { ...loyalty, properties: Object.fromEntries(classic) });
}

function withTenant(schema: ClosedSchema, tenant: string | undefined, capillary: Shape): ClosedSchema {
  const closed = { $schema: 'http://json-schema.org/draft-06/schema#', ...schema };
  const own = {
    type: 'object',
    properties: { capillary: schemaOf(capillary) },
    additionalProperties: false,
  };
  return tenant === undefined ? closed : withProperty(closed, tenant, own);
}

function withProperty(schema: ClosedSchema, name: string, property: ClosedSchema): ClosedSchema {
  return {
    ...schema,
    properties: { ...asObject(schema['properties']), [name]: property },
  };
}

function schemaOf(shape: Shape): ClosedSchema {
  if (isObjectShape(shape)) {
    const properties = Object.entries(shape.fields).map(([name, inner]) => [name, schemaOf(inner)]);
    return { type: 'object', properties: Object.fromEntries(properties), additionalProperties: false };
  }
  if (isMapShape(shape)) {
    return { type: 'object', additionalProperties: schemaOf(shape.values) };
  }
  return isListShape(shape) ? { type: 'array', items: schemaOf(shape.items) } : leafSchema(shape);
}

function leafSchema(leaf: Leaf): ClosedSchema {
  if (typeof leaf === 'object') {
    throw new Error('tenant fields have no enums or patterns');
  }
  const isPlain = leaf === 'string' || leaf === 'number' || leaf === 'integer' || leaf === 'boolean';
  return isPlain ? { type: leaf } : { type: 'string', format: leaf };
}
