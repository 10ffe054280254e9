import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import type { PlatformClient, PlatformResult } from './platform-client.ts';
import { objectsOf, readAnswer, textIn } from './typed-answer.ts';

const DESCRIPTORS = '/data/foundation/schemaregistry/tenant/descriptors';
/** Whole descriptors, not only links to them. */
const ACCEPT = 'application/vnd.adobe.xdm+json';

/** A field that a schema marks as an identity. */
export interface IdentityDescriptor {
  /** `$id` of the schema. */
  readonly schemaId: string;
  /** JSON pointer of the field, such as `/_acme/customerId`. */
  readonly property: string;
  readonly namespace: string;
  readonly isPrimary: boolean;
}

function descriptorOf(item: JsonObject): IdentityDescriptor[] {
  const schemaId = textIn(item, 'xdm:sourceSchema');
  const property = textIn(item, 'xdm:sourceProperty');
  if (schemaId === undefined || property === undefined) return [];
  const namespace = textIn(item, 'xdm:namespace') ?? '';
  return [{ schemaId, property, namespace, isPrimary: item['xdm:isPrimary'] === true }];
}

/** As one list, or by their type; undefined if only links to them were sent. */
function itemsIn(body: JsonValue | undefined): JsonObject[] | undefined {
  if (!isJsonObject(body)) return objectsOf(body);
  const list = body['results'] ?? body['xdm:descriptorIdentity'] ?? [];
  const items = objectsOf(list);
  return Array.isArray(list) && items?.length === list.length ? items : undefined;
}

/**
 * The identity descriptors of a schema.
 * Source: docs/platforms/adobe.md#identity-map
 */
export async function readIdentityDescriptors(
  client: PlatformClient,
  schemaId: string,
): Promise<PlatformResult<readonly IdentityDescriptor[]>> {
  const filters = ['@type==xdm:descriptorIdentity', `xdm:sourceSchema==${schemaId}`]
    .map((filter) => `property=${encodeURIComponent(filter)}`)
    .join('&');
  const answer = await client.get(`${DESCRIPTORS}?${filters}`, { accept: ACCEPT });
  return readAnswer(answer, `GET ${DESCRIPTORS}`, (body) =>
    itemsIn(body)
      ?.filter((item) => item['@type'] === 'xdm:descriptorIdentity')
      .flatMap(descriptorOf)
      .filter((descriptor) => descriptor.schemaId === schemaId),
  );
}
