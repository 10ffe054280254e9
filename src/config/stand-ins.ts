import { randomBytes } from 'node:crypto';
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

/** The side whose secrets a command does without: other people may have them. */
export type OtherSide = 'adobe' | 'capillary';

const SECRETS_OF: Readonly<Record<OtherSide, RegExp>> = {
  adobe: /^destinations\[\d+\]\.ims\.clientSecrets\[\d+\]$/,
  capillary:
    /^(?:admin\.token|sources\[\d+\]\.(?:api\.(?:key|secret)|webhook\.header\.value|verify\[\d+\]\..+))$/,
};

function replaceAt(tree: unknown, [step, ...rest]: Path, value: string): unknown {
  if (step === undefined) return value;
  if (Array.isArray(tree))
    return tree.map((item: unknown, index) => (index === step ? replaceAt(item, rest, value) : item));
  return isTree(tree) ? { ...tree, [step]: replaceAt(tree[step], rest, value) } : tree;
}

/** Puts a random value in the place of each secret of the other side that has none. */
export function fillOtherSecrets(filled: Interpolated, side: OtherSide): Interpolated {
  const isOther = (path: Path): boolean => SECRETS_OF[side].test(formatPath(path));
  // One value for all: the header of the webhook has to be one that the source accepts.
  const standIn = randomBytes(32).toString('hex');
  const others = filled.findings.filter(({ path }) => isOther(path));
  return {
    ...filled,
    value: others.reduce<unknown>((tree, { path }) => replaceAt(tree, path, standIn), filled.value),
    findings: filled.findings.filter(({ path }) => !isOther(path)),
  };
}
