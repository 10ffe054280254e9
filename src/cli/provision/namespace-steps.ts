import {
  createNamespace,
  type IdentityNamespace,
  isSameType,
  listNamespaces,
} from '../../adobe/platform/identity-namespaces.ts';
import type { DestinationConfig } from '../../config/config-schema.ts';
import { ABSENT, type Looked, type Step, valueOf } from './provision-step.ts';
import type { StepContext } from './step-context.ts';

type Identifier = keyof DestinationConfig['identity']['namespaces'];

interface NamespaceKind {
  readonly name: string;
  /** Permanent: docs/platforms/adobe.md#provisioning-steps. */
  readonly idType: string;
  readonly description: string;
}

/**
 * Only the customer id identifies one person. The others are non-people identifiers, because
 * Journey Optimizer's conditions fail on a record with two cross-device identities.
 */
export const NAMESPACE_KINDS: Readonly<Record<Identifier, NamespaceKind>> = {
  customerId: {
    name: 'Capillary customer',
    idType: 'Cross_device',
    description: 'customerId of Capillary',
  },
  externalId: { name: 'Loyalty id', idType: 'Non_people', description: 'external id of Capillary' },
  cardNumber: { name: 'Loyalty card', idType: 'Non_people', description: 'card number of Capillary' },
  email: { name: 'E-mail', idType: 'Email', description: 'e-mail address of a customer of Capillary' },
  phone: { name: 'Phone', idType: 'Phone', description: 'phone number of a customer of Capillary' },
};

function judge(existing: IdentityNamespace, identifier: Identifier): Looked {
  const { code, idType } = existing;
  const { idType: expected } = NAMESPACE_KINDS[identifier];
  const differences = isSameType(idType, expected)
    ? []
    : [
        {
          what: `the namespace ${code} has the type ${idType}, not ${expected}`,
          fix: `a type is permanent: choose another code for identity.namespaces.${identifier}`,
        },
      ];
  // A namespace is shared by the whole organisation, so it is never this command's own.
  return { state: 'found', id: String(existing.id), name: code, isOurs: false, differences };
}

function namespaceStep({ client }: StepContext, identifier: Identifier, code: string): Step {
  return {
    key: `namespace:${identifier}`,
    kind: 'namespace',
    name: code,
    look: async () => {
      const all = valueOf(await listNamespaces(client));
      const existing = all.find((namespace) => namespace.code === code);
      if (existing !== undefined) return judge(existing, identifier);
      const similar = all.find((namespace) => namespace.code.toLowerCase() === code.toLowerCase());
      if (similar === undefined) return ABSENT;
      return {
        state: 'blocked',
        what: `identity.namespaces.${identifier} is ${code}, but the organisation has ${similar.code}`,
        fix: `codes are case-sensitive and permanent: write ${similar.code}`,
      };
    },
    make: async () => {
      const { name, idType, description } = NAMESPACE_KINDS[identifier];
      // Names are unique too.
      const created = await createNamespace(client, { code, name: `${name} (${code})`, idType, description });
      return String(valueOf(created).id);
    },
  };
}

/** A step for each identifier that the destination sends. */
export function namespaceSteps(context: StepContext): Step[] {
  const { namespaces } = context.destination.identity;
  return (Object.keys(NAMESPACE_KINDS) as Identifier[]).flatMap((identifier) => {
    const code = namespaces[identifier];
    return code === undefined ? [] : [namespaceStep(context, identifier, code)];
  });
}
