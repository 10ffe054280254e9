import type { PlatformClient } from '../../adobe/platform/platform-client.ts';
import { readStandardGroup } from '../../adobe/platform/schema-registry.ts';
import { type RecordClass, STANDARD_GROUPS } from '../../xdm/standard-groups.ts';
import { valueOf } from './provision-step.ts';
import { LOYALTY_DETAILS_ID, type SandboxGroups } from './schema-features.ts';

/**
 * Which of Adobe's field groups for these records the sandbox has.
 * @throws StepFailure
 */
export async function readSandboxGroups(
  client: PlatformClient,
  records: readonly RecordClass[],
): Promise<SandboxGroups> {
  const wanted = STANDARD_GROUPS.filter(({ classes }) => classes.some((record) => records.includes(record)));
  const ids = new Set<string>();
  let loyaltyDetails: SandboxGroups['loyaltyDetails'];
  for (const { id } of wanted) {
    const group = valueOf(await readStandardGroup(client, id));
    if (group === undefined) continue;
    ids.add(id);
    if (id === LOYALTY_DETAILS_ID) loyaltyDetails = group;
  }
  return { ids, loyaltyDetails };
}
