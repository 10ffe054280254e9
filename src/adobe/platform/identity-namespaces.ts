import { isJsonObject } from '../../capillary/json.ts';
import type { PlatformClient, PlatformResult } from './platform-client.ts';
import { objectsOf, readAnswer, textIn } from './typed-answer.ts';

const IDENTITIES = '/data/core/idnamespace/identities';

/** Code and type are permanent: docs/platforms/adobe.md#provisioning-steps. */
export interface IdentityNamespace {
  readonly id: number | string;
  /** The key in the identityMap. */
  readonly code: string;
  readonly name: string;
  /** Such as `Cross_device`, `Non_people`, `Email`; Adobe's answers also have other spellings. */
  readonly idType: string;
}

export interface NewNamespace {
  readonly name: string;
  readonly code: string;
  readonly idType: string;
  readonly description: string;
}

/** `CROSS_DEVICE` and `Cross_device` are one type. */
export function isSameType(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

function namespaceOf(value: unknown): IdentityNamespace | undefined {
  if (!isJsonObject(value)) return undefined;
  const code = textIn(value, 'code');
  const id = value['id'];
  if (code === undefined || (typeof id !== 'number' && typeof id !== 'string')) return undefined;
  return { id, code, name: textIn(value, 'name') ?? code, idType: textIn(value, 'idType') ?? '' };
}

/** Adobe's own namespaces and those of the organisation. */
export async function listNamespaces(
  client: PlatformClient,
): Promise<PlatformResult<readonly IdentityNamespace[]>> {
  return readAnswer(await client.get(IDENTITIES), `GET ${IDENTITIES}`, (body) =>
    objectsOf(body)?.flatMap((item) => namespaceOf(item) ?? []),
  );
}

/** An existing code is a `conflict`, also if it was made by the same account. */
export async function createNamespace(
  client: PlatformClient,
  { name, code, idType, description }: NewNamespace,
): Promise<PlatformResult<IdentityNamespace>> {
  const answer = await client.post(IDENTITIES, { name, code, idType, description });
  return readAnswer(answer, `POST ${IDENTITIES}`, namespaceOf);
}
