import type { CapillaryEvent } from '../capillary/event.ts';
import { isUsableId } from '../capillary/event-id.ts';
import { idText } from '../capillary/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';

/**
 * What the events of an organisation have said about its loyalty programs. Many events have only
 * the numbers of a program and of its tiers (docs/platforms/capillary.md#shared-objects).
 */
export interface Programs {
  /** Undefined if no event said it. */
  nameOf(programId: string): string | undefined;
  tierNameOf(programId: string, tierNumber: number): string | undefined;
  /**
   * The default program. Before an event says which one it is: the first program that is not known
   * to be another one.
   */
  mainProgram(): { readonly id: string; readonly isCertain: boolean } | undefined;
}

/** What is known of an organisation's programs, as JSON. */
export interface StoredPrograms {
  readonly orgId: number;
  readonly json: string;
}

/** The programs of all organisations: grows with each event that describes its program. */
export interface ProgramCatalogue {
  /**
   * Learns from an event. A newer event changes what an older one said, never the other way round.
   *
   * @param at epoch ms of the event
   */
  learn(event: CapillaryEvent, at: number): void;
  of(orgId: number): Programs;
  /** Organisations with changes since the last call, as JSON for `load`. */
  takeChanges(): readonly StoredPrograms[];
  /** Changes that were taken could not be stored: the next call returns them again. */
  returnChanges(changes: readonly StoredPrograms[]): void;
  load(stored: StoredPrograms): void;
}

interface Said<Value> {
  readonly value: Value;
  /** Epoch ms of the event. */
  readonly at: number;
}

interface Program {
  name?: Said<string>;
  isDefault?: Said<boolean>;
  readonly tiers: Map<string, Said<string>>;
}

interface Organisation {
  /** In the order in which they became known. */
  readonly programs: Map<string, Program>;
  hasChanged: boolean;
}

/** The fields of `data` that `learn` reads. */
export const PROGRAM_FIELDS: readonly string[] = [
  'loyaltyProgramId',
  ...['id', 'name', 'isDefault', 'tiers.tierNumber', 'tiers.tierName'].map(
    (field) => `loyaltyProgramDetails.${field}`,
  ),
];

/** Bounds on memory; no brand has nearly as many. */
const MAX_PROGRAMS = 200;
const MAX_TIERS = 200;
const MAX_NAME_CHARS = 200;
/** The time of what is known already is stored at most this often. */
const MIN_NEWS_MS = 86_400_000;

export function createProgramCatalogue(): ProgramCatalogue {
  const organisations = new Map<number, Organisation>();
  const organisationOf = (orgId: number): Organisation => {
    const organisation = organisations.get(orgId) ?? { programs: new Map(), hasChanged: false };
    organisations.set(orgId, organisation);
    return organisation;
  };
  return {
    learn(event, at) {
      const { data } = event;
      const details = isJsonObject(data['loyaltyProgramDetails']) ? data['loyaltyProgramDetails'] : {};
      const ids = [details['id'], data['loyaltyProgramId'], ...mergedPrograms(data)].map(programIdText);
      if (event.isSample || ids.every((id) => id === undefined)) {
        return;
      }
      const organisation = organisationOf(event.orgId);
      const [described] = ids;
      const hasDetails = nameText(details['name']) !== undefined || typeof details['isDefault'] === 'boolean';
      for (const id of ids) {
        const program =
          id === undefined ? undefined : programIn(organisation, id, hasDetails && id === described);
        if (program !== undefined && id === described && learnDetails(program, details, at)) {
          organisation.hasChanged = true;
        }
      }
    },
    of: (orgId) => programsOf(organisations.get(orgId)),
    takeChanges() {
      const changes: StoredPrograms[] = [];
      for (const [orgId, organisation] of organisations) {
        if (organisation.hasChanged) {
          organisation.hasChanged = false;
          changes.push({ orgId, json: JSON.stringify(toJson(organisation)) });
        }
      }
      return changes;
    },
    returnChanges(changes) {
      for (const { orgId } of changes) {
        organisationOf(orgId).hasChanged = true;
      }
    },
    load({ orgId, json }) {
      const parsed: unknown = JSON.parse(json);
      const organisation = organisationOf(orgId);
      for (const stored of Array.isArray(parsed) ? parsed : []) {
        const id = isJsonObject(stored) ? idText(stored['id']) : undefined;
        const program = id === undefined ? undefined : programIn(organisation, id, true);
        if (program !== undefined && isJsonObject(stored)) {
          loadProgram(program, stored);
        }
      }
      organisation.hasChanged = false;
    },
  };
}

/** What stands for "none" is no program: the first one that is known can become the main one. */
function programIdText(value: JsonValue | undefined): string | undefined {
  const id = idText(value);
  return id !== undefined && isProgramId(id) ? id : undefined;
}

const PROGRAM_ID = /^\w{1,64}$/;

/** The ids of programs are numbers or simple names. */
export function isProgramId(id: string): boolean {
  return PROGRAM_ID.test(id) && isUsableId(id);
}

/** A merge says the customer's programs in a list. */
function mergedPrograms(data: JsonObject): readonly (JsonValue | undefined)[] {
  const summary = data['survivorCustomerLoyaltySummary'];
  return (Array.isArray(summary) ? summary : []).map((program) =>
    isJsonObject(program) ? program['loyaltyProgramId'] : undefined,
  );
}

/** The program, entered if it is new; undefined if there are too many. */
function programIn(organisation: Organisation, id: string, isDescribed: boolean): Program | undefined {
  const { programs } = organisation;
  const known = programs.get(id);
  if (known !== undefined || (programs.size >= MAX_PROGRAMS && !(isDescribed && makeRoom(programs)))) {
    return known;
  }
  const program: Program = { tiers: new Map() };
  programs.set(id, program);
  organisation.hasChanged = true;
  return program;
}

/** Removes a program of which only the id is known: wrong ids must not fill the list. */
function makeRoom(programs: Organisation['programs']): boolean {
  for (const [id, { name, isDefault, tiers }] of programs) {
    if (name === undefined && isDefault === undefined && tiers.size === 0) {
      return programs.delete(id);
    }
  }
  return false;
}

function compare(a: string | boolean, b: string | boolean): number {
  return Number(a > b) - Number(a < b);
}

/** @returns whether something changed that must be stored */
function learnDetails(program: Program, details: JsonObject, at: number): boolean {
  let hasChanged = false;
  const newest = <Value extends string | boolean>(
    known: Said<Value> | undefined,
    value: Value | undefined,
  ): Said<Value> | undefined => {
    // Of two values of the same time the greater one is taken, whatever their order.
    const isOlder =
      known !== undefined && value !== undefined && (at - known.at || compare(value, known.value)) < 0;
    if (value === undefined || isOlder) {
      return known;
    }
    // Most events say again what is known, and that is not worth a write.
    hasChanged ||= value !== known?.value || at - known.at >= MIN_NEWS_MS;
    return { value, at };
  };
  const name = newest(program.name, nameText(details['name']));
  if (name !== undefined) {
    program.name = name;
  }
  const isDefault = newest(
    program.isDefault,
    typeof details['isDefault'] === 'boolean' ? details['isDefault'] : undefined,
  );
  if (isDefault !== undefined) {
    program.isDefault = isDefault;
  }
  for (const tier of Array.isArray(details['tiers']) ? details['tiers'] : []) {
    const number = isJsonObject(tier) ? idText(tier['tierNumber']) : undefined;
    const tierName = isJsonObject(tier) ? nameText(tier['tierName']) : undefined;
    const known = number === undefined ? undefined : program.tiers.get(number);
    const hasRoom = known !== undefined || program.tiers.size < MAX_TIERS;
    const said = number !== undefined && hasRoom ? newest(known, tierName) : undefined;
    if (number !== undefined && said !== undefined) {
      program.tiers.set(number, said);
    }
  }
  return hasChanged;
}

function nameText(value: JsonValue | undefined): string | undefined {
  const text = typeof value === 'string' ? value.toWellFormed().trim() : '';
  return text === '' || text.length > MAX_NAME_CHARS ? undefined : text;
}

function programsOf(organisation: Organisation | undefined): Programs {
  const programs = organisation?.programs ?? new Map<string, Program>();
  return {
    nameOf: (programId) => programs.get(programId)?.name?.value,
    tierNameOf: (programId, tierNumber) => programs.get(programId)?.tiers.get(String(tierNumber))?.value,
    mainProgram() {
      let newest: { readonly id: string; readonly at: number } | undefined;
      let first: string | undefined;
      for (const [id, { isDefault }] of programs) {
        if (isDefault?.value === true && (newest === undefined || isDefault.at > newest.at)) {
          newest = { id, at: isDefault.at };
        }
        if (isDefault?.value !== false) {
          first ??= id;
        }
      }
      const id = newest?.id ?? first;
      return id === undefined ? undefined : { id, isCertain: newest !== undefined };
    },
  };
}

function toJson({ programs }: Organisation): JsonValue {
  return [...programs].map(([id, { name, isDefault, tiers }]) => ({
    id,
    ...(name === undefined ? {} : { name: { ...name } }),
    ...(isDefault === undefined ? {} : { isDefault: { ...isDefault } }),
    tiers: Object.fromEntries([...tiers].map(([number, said]) => [number, { ...said }])),
  }));
}

function loadProgram(program: Program, stored: JsonObject): void {
  const name = saidIn(stored['name']);
  if (typeof name?.value === 'string') {
    program.name = { value: name.value, at: name.at };
  }
  const isDefault = saidIn(stored['isDefault']);
  if (typeof isDefault?.value === 'boolean') {
    program.isDefault = { value: isDefault.value, at: isDefault.at };
  }
  for (const [number, tier] of Object.entries(isJsonObject(stored['tiers']) ? stored['tiers'] : {})) {
    const said = saidIn(tier);
    if (typeof said?.value === 'string') {
      program.tiers.set(number, { value: said.value, at: said.at });
    }
  }
}

function saidIn(value: JsonValue | undefined): Said<JsonValue> | undefined {
  if (!isJsonObject(value)) {
    return undefined;
  }
  const { value: said, at } = value;
  return said === undefined || typeof at !== 'number' ? undefined : { value: said, at };
}
