import type { PlatformClient, PlatformResult } from '../../adobe/platform/platform-client.ts';
import type { DestinationConfig, SourceConfig } from '../../config/config-schema.ts';
import type { ProvisionedKey } from '../../config/stand-ins.ts';
import type { RecordClass } from '../../xdm/standard-groups.ts';
import { isMarked } from './object-names.ts';
import { type Looked, valueOf } from './provision-step.ts';
import type { ProvisionState } from './state-file.ts';

/** What the steps of one destination need. */
export interface StepContext {
  readonly client: PlatformClient;
  readonly destination: DestinationConfig;
  /** Of the configuration: they decide which fields are written. */
  readonly sources: readonly SourceConfig[];
  readonly missing: ReadonlySet<ProvisionedKey>;
  readonly state: ProvisionState;
  /** The ids of the objects so far, by the keys of their steps. */
  readonly ids: ReadonlyMap<string, string>;
}

/** The dataflows of a destination: profile records are provisioned if it has the key. */
export function recordsOf({ destination }: Pick<StepContext, 'destination'>): readonly RecordClass[] {
  return destination.profile === undefined ? ['event'] : ['event', 'profile'];
}

/** `event` → `events`, as the configuration calls the dataflow. */
function sectionOf(record: RecordClass): 'events' | 'profile' {
  return record === 'event' ? 'events' : 'profile';
}

type IdName = 'schemaId' | 'datasetId' | 'flowId';

/** The key of an id in the configuration, such as `events.schemaId`. */
export function idKey<T extends IdName>(record: RecordClass, name: T) {
  return `${sectionOf(record)}.${name}` as const;
}

/** An id that the configuration has, with its key. */
export interface ConfiguredId {
  readonly id: string;
  readonly key: string;
}

/** Undefined if the configuration does not have it. */
export function configuredId(
  { destination, missing }: Pick<StepContext, 'destination' | 'missing'>,
  record: RecordClass,
  name: IdName,
): ConfiguredId | undefined {
  const key = idKey(record, name);
  const id = missing.has(key) ? undefined : destination[sectionOf(record)]?.[name];
  return id === undefined ? undefined : { id, key };
}

/** How objects of one kind are read and found. */
export interface Lookup<T> {
  /** Of the step. */
  readonly key: string;
  /** For messages: `dataset`. */
  readonly what: string;
  readonly configured?: ConfiguredId | undefined;
  readonly read: (id: string) => Promise<PlatformResult<T | undefined>>;
  /** By the name with its marker: the oldest. */
  readonly find: () => Promise<T | undefined>;
}

interface NamedObject {
  readonly id: string;
  readonly name: string;
}

/** An object, and whether `provision` has made it. */
export interface Located<T> {
  readonly object: T;
  readonly isOurs: boolean;
}

/** Whether `provision` has made an object of this step, by the state file or the marker. */
export function isOwn(
  { destination, state }: Pick<StepContext, 'destination' | 'state'>,
  key: string,
  { id, name }: NamedObject,
): boolean {
  const known = state.object(key);
  return (known?.by === 'made' && known.id === id) || isMarked(name, destination.name);
}

/** There is no object, and perhaps none can be made. */
export type Unlocated = Extract<Looked, { state: 'absent' | 'blocked' }>;

/**
 * The object of a step: by the id of the configuration, else by that of the state file, else by its
 * marker. Somebody else's object is used only as long as the configuration names it.
 */
export async function locate<T extends NamedObject>(
  context: StepContext,
  { key, what, configured, read, find }: Lookup<T>,
): Promise<Located<T> | Unlocated> {
  const located = (object: T): Located<T> => ({ object, isOurs: isOwn(context, key, object) });
  if (configured !== undefined) {
    const object = valueOf(await read(configured.id));
    if (object !== undefined) return located(object);
    return {
      state: 'blocked',
      what: `${configured.key}: the sandbox ${context.client.sandbox} has no ${what} ${configured.id}`,
      fix: `correct ${configured.key}, or remove it: then one is made`,
    };
  }
  const known = context.state.object(key);
  const object = known?.by === 'made' ? valueOf(await read(known.id)) : undefined;
  const other = object ?? (await find());
  return other === undefined ? { state: 'absent' } : located(other);
}

/** Whether `locate` has found an object. */
export function isLocated<T>(result: Located<T> | Looked): result is Located<T> {
  return 'object' in result;
}
