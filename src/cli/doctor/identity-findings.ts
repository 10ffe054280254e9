import type { DestinationConfig } from '../../config/config-schema.ts';
import { type Finding, ok } from './finding.ts';

/**
 * What the identity settings of a sandbox must be. They cannot be read with the credential of a
 * destination, so they are stated (docs/platforms/adobe.md#unique-namespaces).
 */
export function identityFindings(
  destinations: readonly Pick<DestinationConfig, 'name' | 'format' | 'identity'>[],
): Finding[] {
  return destinations
    .filter(({ format, identity }) => format === 'xdm' && identity.namespaces.customerId !== undefined)
    .map(({ name, identity: { namespaces, linkMerged } }) =>
      ok(
        'identities',
        linkMerged
          ? `${name}: a merge sends two ids of ${namespaces.customerId}; if it is unique in the sandbox, set identity.linkMerged: false`
          : `${name}: a merge sends the survivor's id of ${namespaces.customerId} only`,
      ),
    );
}
