import type { PlatformClient, PlatformResult } from '../../adobe/platform/platform-client.ts';
import {
  findByTitle,
  patchResource,
  readStandardGroup,
  readTenant,
  readTenantResource,
  type RegistryResource,
  type ResourceKind,
} from '../../adobe/platform/schema-registry.ts';
import type { PatchOperation } from '../../adobe/platform/typed-answer.ts';
import { type RecordClass, STANDARD_GROUPS } from '../../xdm/standard-groups.ts';
import { valueOf } from './provision-step.ts';
import { LOYALTY_DETAILS_ID, type SandboxGroups } from './schema-features.ts';
import {
  locate,
  type Located,
  type Lookup,
  recordsOf,
  type StepContext,
  type Unlocated,
} from './step-context.ts';

/** What the organisation and the sandbox have; each is read once. */
export interface RegistryFacts {
  /** With its underscore. */
  readonly tenant: () => Promise<string>;
  readonly groups: () => Promise<SandboxGroups>;
}

/**
 * Which of Adobe's field groups for these records the sandbox has.
 * @throws StepFailure
 */
async function readSandboxGroups(
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

/** What the registry says, read once when it is first needed. */
export function registryFacts(context: StepContext): RegistryFacts {
  let tenant: Promise<string> | undefined;
  let groups: Promise<SandboxGroups> | undefined;
  return {
    tenant: () => (tenant ??= readTenant(context.client).then(valueOf)),
    groups: () => (groups ??= readSandboxGroups(context.client, recordsOf(context))),
  };
}

export type NamedResource = RegistryResource & { readonly name: string };

/** A resource with its title as its name. */
async function readNamed(
  { client }: StepContext,
  kind: ResourceKind,
  id: string,
): Promise<PlatformResult<NamedResource | undefined>> {
  const result = await readTenantResource(client, kind, id);
  if (!result.ok) return result;
  const { value } = result;
  return { ok: true, value: value === undefined ? undefined : { ...value, name: value.title } };
}

export function locateResource(
  context: StepContext,
  kind: ResourceKind,
  { key, title, configured }: Pick<Lookup<NamedResource>, 'key' | 'configured'> & { readonly title: string },
): Promise<Located<NamedResource> | Unlocated> {
  return locate(context, {
    key,
    what: kind === 'schemas' ? 'schema' : 'field group',
    configured,
    read: (id) => readNamed(context, kind, id),
    find: async () => {
      const [id] = valueOf(await findByTitle(context.client, kind, title));
      return id === undefined ? undefined : valueOf(await readNamed(context, kind, id));
    },
  });
}

/** A change of our own resource as it was read. */
export function changeOf(
  { client }: StepContext,
  kind: ResourceKind,
  resource: RegistryResource,
  operations: readonly PatchOperation[],
): () => Promise<void> {
  return async () => {
    valueOf(await patchResource(client, kind, resource, operations));
  };
}

/** Names at most this many fields or groups; more than that nobody reads. */
const MAX_LISTED = 6;

/** `a, b, c`, or the first of them and how many more. */
export function listed(names: readonly string[]): string {
  const more = names.length - MAX_LISTED;
  return more > 0 ? `${names.slice(0, MAX_LISTED).join(', ')} and ${more} more` : names.join(', ');
}
