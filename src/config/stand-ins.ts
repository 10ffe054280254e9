import { formatPath, type Path } from './config-error.ts';
import type { Interpolated } from './placeholders.ts';

/*
 * A configuration for `provision`: what does not exist yet at Adobe has no id, so its keys are
 * missing. The schema gets a valid value in their place, and the command knows which they are.
 */

/** Keys of a destination that `provision` fills in. */
export const PROVISIONED_KEYS = [
  'inletUrl',
  'events.schemaId',
  'events.datasetId',
  'events.flowId',
  'profile.schemaId',
  'profile.datasetId',
  'profile.flowId',
  'tenant',
] as const;

export type ProvisionedKey = (typeof PROVISIONED_KEYS)[number];

/** The missing keys of each destination, by its position in the file. */
export type MissingKeys = ReadonlyMap<number, ReadonlySet<ProvisionedKey>>;

const STAND_INS: Readonly<Record<ProvisionedKey, string>> = {
  inletUrl: 'https://dcs.adobedc.net/collection/missing',
  'events.schemaId': 'https://ns.adobe.com/missing/schemas/events',
  'events.datasetId': 'missing-events',
  'events.flowId': 'missing-events',
  'profile.schemaId': 'https://ns.adobe.com/missing/schemas/profile',
  'profile.datasetId': 'missing-profile',
  'profile.flowId': 'missing-profile',
  tenant: '',
};

type Tree = Readonly<Record<string, unknown>>;

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sets a value below a tree, whose objects may be missing. */
function withValue(tree: unknown, [step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === undefined) return value;
  const object = isTree(tree) ? tree : {};
  return { ...object, [step]: withValue(object[step], rest, value) };
}

function valueAt(tree: unknown, steps: readonly string[]): unknown {
  return steps.reduce<unknown>((node, step) => (isTree(node) ? node[step] : undefined), tree);
}

function fillDestination(
  destination: unknown,
  isUnresolved: (path: Path) => boolean,
): { readonly value: unknown; readonly missing: ReadonlySet<ProvisionedKey> } {
  if (!isTree(destination)) return { value: destination, missing: new Set() };
  // Without the key, the destination gets no profile records.
  const hasProfile = Object.hasOwn(destination, 'profile');
  const missing = PROVISIONED_KEYS.filter((key) => {
    if (key.startsWith('profile.') && !hasProfile) return false;
    const steps = key.split('.');
    const value = valueAt(destination, steps);
    return value === undefined || value === null || value === '' || isUnresolved(steps);
  });
  const value = missing.reduce<unknown>(
    (filled, key) => withValue(filled, key.split('.'), STAND_INS[key]),
    destination,
  );
  return { value, missing: new Set(missing) };
}

/**
 * Puts valid values in the place of the missing keys, and drops what was found about those whose
 * placeholder has no value.
 */
export function fillProvisioned(filled: Interpolated): {
  readonly filled: Interpolated;
  readonly missing: MissingKeys;
} {
  const top = filled.value;
  const destinations = isTree(top) && Array.isArray(top['destinations']) ? top['destinations'] : undefined;
  if (!isTree(top) || destinations === undefined) return { filled, missing: new Map() };
  const unresolved = new Set(filled.findings.map(({ path }) => formatPath(path)));
  const missing = new Map<number, ReadonlySet<ProvisionedKey>>();
  const values = destinations.map((destination: unknown, index) => {
    const prefix = ['destinations', index];
    const result = fillDestination(destination, (path) => unresolved.has(formatPath([...prefix, ...path])));
    missing.set(index, result.missing);
    return result.value;
  });
  const filledPaths = new Set(
    [...missing].flatMap(([index, keys]) =>
      [...keys].map((key) => formatPath(['destinations', index, ...key.split('.')])),
    ),
  );
  return {
    filled: {
      ...filled,
      value: { ...top, destinations: values },
      findings: filled.findings.filter(({ path }) => !filledPaths.has(formatPath(path))),
    },
    missing,
  };
}
