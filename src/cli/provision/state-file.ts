import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import { codeOf } from '../doctor/finding.ts';
import { replaceFile } from '../replace-file.ts';

const objectSchema = z.strictObject({
  kind: z.string(),
  name: z.string(),
  id: z.string(),
  /** `made` by this command, or `found`. Only what it has made is ever changed. */
  by: z.enum(['made', 'found']),
  at: z.iso.datetime(),
});

const destinationSchema = z.strictObject({
  destination: z.string(),
  imsOrgId: z.string(),
  sandbox: z.string(),
  objects: z.record(z.string(), objectSchema),
  /** When the making of an object began whose id is not known yet. */
  attempts: z.record(z.string(), z.iso.datetime()),
});

const stateSchema = z.strictObject({ version: z.literal(1), destinations: z.array(destinationSchema) });

type StateDocument = z.output<typeof stateSchema>;
type StateDestination = z.output<typeof destinationSchema>;

export type StateObject = z.output<typeof objectSchema>;

/**
 * What the state file knows of one destination. Each change is on disk when its promise resolves.
 */
export interface ProvisionState {
  object(key: string): StateObject | undefined;
  record(key: string, object: Omit<StateObject, 'at'>): Promise<void>;
  /** Epoch ms at which the making of an object began whose outcome is unknown. */
  attemptedAt(key: string): number | undefined;
  attempt(key: string): Promise<void>;
  /** The last attempt certainly had no effect. */
  forgetAttempt(key: string): Promise<void>;
}

/** `relay.yaml` → `relay.provision.json`, beside it. */
export function statePath(configFile: string): string {
  return `${configFile.replace(/\.ya?ml$/, '')}.provision.json`;
}

async function load(file: string): Promise<StateDocument> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    const fix = 'name a file that this user may read and write with --state';
    throw new CommandError(`the state file ${file} cannot be read (${codeOf(error)}); fix: ${fix}`);
  });
  if (text === undefined) return { version: 1, destinations: [] };
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch {
    throw new CommandError(
      `the state file ${file} is damaged, or of another version; fix: move it away and run the command again: the objects are found by their names`,
    );
  }
}

/**
 * Opens the state of all destinations. The file has ids and names, and no secrets. Nothing is
 * written before the first change.
 * @throws CommandError if the file cannot be read
 */
export async function openState(
  file: string,
  now: () => number = Date.now,
): Promise<(target: Pick<StateDestination, 'destination' | 'imsOrgId' | 'sandbox'>) => ProvisionState> {
  const document = await load(file);
  const save = () => replaceFile(file, `${JSON.stringify(document, undefined, 2)}\n`, 0o644);
  return ({ destination, imsOrgId, sandbox }) => {
    const known = document.destinations.find(
      (entry) =>
        entry.destination === destination && entry.imsOrgId === imsOrgId && entry.sandbox === sandbox,
    );
    const entry: StateDestination = known ?? { destination, imsOrgId, sandbox, objects: {}, attempts: {} };
    const change = async (apply: () => void): Promise<void> => {
      if (!document.destinations.includes(entry)) document.destinations.push(entry);
      apply();
      await save();
    };
    return {
      object: (key) => entry.objects[key],
      record: (key, object) =>
        change(() => {
          entry.objects[key] = { ...object, at: new Date(now()).toISOString() };
          delete entry.attempts[key];
        }),
      attemptedAt: (key) => {
        const at = entry.attempts[key];
        return at === undefined ? undefined : Date.parse(at);
      },
      attempt: (key) =>
        change(() => {
          entry.attempts[key] = new Date(now()).toISOString();
        }),
      forgetAttempt: (key) =>
        change(() => {
          delete entry.attempts[key];
        }),
    };
  };
}
