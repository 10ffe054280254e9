import type { PlatformResult } from '../../adobe/platform/platform-client.ts';
import {
  findByTitle,
  patchResource,
  readTenantResource,
  type RegistryResource,
  type ResourceKind,
} from '../../adobe/platform/schema-registry.ts';
import type { PatchOperation } from '../../adobe/platform/typed-answer.ts';
import { valueOf } from './provision-step.ts';
import type { SandboxGroups } from './schema-features.ts';
import { locate, type Located, type Lookup, type StepContext, type Unlocated } from './step-context.ts';

/** What the organisation and the sandbox have; each is read once. */
export interface RegistryFacts {
  /** With its underscore. */
  readonly tenant: () => Promise<string>;
  readonly groups: () => Promise<SandboxGroups>;
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

export function listed(names: readonly string[]): string {
  const MAX_LISTED = 5;
  const more = names.length - MAX_LISTED;
  return more > 0 ? `${names.slice(0, MAX_LISTED).join(', ')} and ${more} more` : names.join(', ');
}
