import { createAdobeLibrary } from './adobe-library.ts';
import type { Permission } from './permissions.ts';
import { createSandbox, type ProvisionedInlet, type Sandbox } from './sandbox.ts';
import { STANDARD_NAMESPACES } from './standard-namespaces.ts';

/** What a client may do; `none` if its technical account is on no product profile of AEP. */
export type ClientAccess = readonly Permission[] | 'none';

export interface PlatformOptions {
  /** Without the underscore; default `demo`. */
  readonly tenantId?: string;
  /** The organisation; any if absent. */
  readonly imsOrgId?: string;
  /** The names of the sandboxes; if absent, every name is one. */
  readonly sandboxes?: readonly string[];
  /** By client id; a client that is not listed may do everything. */
  readonly permissions?: Readonly<Record<string, ClientAccess>>;
  /** `$id`s of Adobe's field groups that the sandboxes lack. */
  readonly withoutGroups?: readonly string[];
  /** Whether Adobe's loyalty group has the fields of 2026; default true. */
  readonly loyalty2026?: boolean;
}

export interface PlatformSettings {
  readonly tenantId: string;
  readonly imsOrgId: string | undefined;
  readonly sandboxes: readonly string[] | undefined;
  readonly permissions: Readonly<Record<string, ClientAccess>>;
  readonly withoutGroups: readonly string[];
  readonly loyalty2026: boolean;
}

export function resolvePlatformOptions(options: PlatformOptions = {}): PlatformSettings {
  return {
    tenantId: options.tenantId ?? 'demo',
    imsOrgId: options.imsOrgId,
    sandboxes: options.sandboxes,
    permissions: options.permissions ?? {},
    withoutGroups: options.withoutGroups ?? [],
    loyalty2026: options.loyalty2026 ?? true,
  };
}

/** The objects of the organisation, by sandbox. */
export interface PlatformState {
  readonly settings: PlatformSettings;
  /** Undefined if the organisation has no sandbox of this name. */
  sandbox(name: string): Sandbox | undefined;
  /** Those that were named so far, or all of `sandboxes`. */
  sandboxes(): readonly Sandbox[];
  /** The connection whose inlet this is, and its sandbox. */
  inlet(inletId: string): ProvisionedInlet | undefined;
  /** Undefined for a client that may do everything. */
  access(clientId: string): ClientAccess | undefined;
  /** Replaces what clients may do, by client id. */
  setPermissions(permissions: PlatformSettings['permissions']): void;
  /** Removes every object; Adobe's own namespaces stay. */
  clear(): void;
}

/** Names have lower case letters, digits and hyphens (docs/platforms/adobe.md#gateway). */
const SANDBOX_NAME = /^[a-z][a-z0-9-]{0,255}$/;

export function createPlatformState(settings: PlatformSettings): PlatformState {
  const sandboxes = new Map<string, Sandbox>();
  const library = createAdobeLibrary(settings);
  let { permissions } = settings;
  const add = (name: string): Sandbox => {
    const sandbox = createSandbox(name, STANDARD_NAMESPACES, library);
    sandboxes.set(name, sandbox);
    return sandbox;
  };
  const begin = (): void => {
    sandboxes.clear();
    for (const name of settings.sandboxes ?? []) add(name);
  };
  begin();
  return {
    settings,
    sandbox: (name) => {
      const isNew = settings.sandboxes === undefined && SANDBOX_NAME.test(name);
      return sandboxes.get(name) ?? (isNew ? add(name) : undefined);
    },
    sandboxes: () => [...sandboxes.values()],
    inlet: (inletId) => {
      for (const sandbox of sandboxes.values()) {
        for (const connection of sandbox.connections.values()) {
          if (connection.inletId === inletId) return { sandbox, connection };
        }
      }
      return undefined;
    },
    access: (clientId) => (Object.hasOwn(permissions, clientId) ? permissions[clientId] : undefined),
    setPermissions: (next) => {
      permissions = next;
    },
    clear: begin,
  };
}
