import { type IdentityNamespace, isSameType } from '../../../adobe/platform/identity-namespaces.ts';
import type { DestinationConfig } from '../../../config/config-schema.ts';
import { type Finding, fail, ok, warn } from '../../doctor/finding.ts';
import { NAMESPACE_KINDS } from '../namespace-steps.ts';
import { checkName } from './platform-reading.ts';

type IdentityKind = DestinationConfig['identity']['primary'];

/** The types by which AEP identifies a person. */
const PERSON_TYPES = ['Cross_device', 'Email', 'Phone'];

const NEW_ONE =
  'a type can never be changed: create another namespace (provision apply does, if the code in identity.namespaces does not exist), and use its code';

function missingFinding(check: string, kind: IdentityKind, code: string, known: readonly string[]): Finding {
  const similar = known.find((other) => other.toLowerCase() === code.toLowerCase());
  if (similar !== undefined)
    return fail(
      check,
      `identity.namespaces.${kind}: the sandbox has no namespace ${code}, but ${similar}; codes are case-sensitive`,
      `write \`${kind}: ${similar}\``,
    );
  return fail(
    check,
    `identity.namespaces.${kind}: the sandbox has no namespace with the code ${code}, so these identities are refused`,
    'run capillary-relay provision apply, which creates it, or use the code of an existing namespace',
  );
}

function typeFinding(
  check: string,
  kind: IdentityKind,
  { code, idType }: IdentityNamespace,
  isPrimary: boolean,
): Finding | undefined {
  const expected = NAMESPACE_KINDS[kind].idType;
  if (isSameType(idType, expected)) return undefined;
  const what = `identity.namespaces.${kind}: ${code} is of the type ${idType}, not ${expected}`;
  const isPerson = PERSON_TYPES.some((type) => isSameType(type, idType));
  if (isPrimary && !isPerson)
    return fail(
      check,
      `${what}; AEP does not identify persons by it, and it is the primary identity`,
      NEW_ONE,
    );
  if (isPerson && expected === 'Non_people')
    return warn(
      check,
      `${what}: a customer can have several, which joins profiles, and conditions of Journey Optimizer fail on records with two identities of this type`,
      NEW_ONE,
    );
  return warn(check, `${what}, so AEP treats it differently from what the relay expects`, NEW_ONE);
}

/** Whether the namespaces of the configuration exist, with the types that they need. */
export function namespaceFindings(
  { name, identity }: Pick<DestinationConfig, 'name' | 'identity'>,
  existing: readonly IdentityNamespace[],
): Finding[] {
  const check = checkName('namespaces', name);
  const codes = existing.map(({ code }) => code);
  const entries = Object.entries(identity.namespaces) as [IdentityKind, string | undefined][];
  const used = entries.flatMap(([kind, code]) => (code === undefined ? [] : [[kind, code] as const]));
  const findings = used.flatMap(([kind, code]) => {
    const found = existing.find((namespace) => namespace.code === code);
    if (found === undefined) return [missingFinding(check, kind, code, codes)];
    return typeFinding(check, kind, found, identity.primary === kind) ?? [];
  });
  if (findings.length > 0) return findings;
  const list = used.map(([, code]) => {
    const found = existing.find((namespace) => namespace.code === code);
    return `${code} (${found?.idType ?? ''})`;
  });
  return [ok(check, list.join(', '))];
}
