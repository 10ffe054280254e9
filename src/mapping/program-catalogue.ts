import type { ProgramEntity } from '../capillary/entities.ts';
import type { CapillaryEvent } from '../capillary/event.ts';
import { isUsableId } from '../capillary/event-id.ts';
import { idText } from '../capillary/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import {
  isDescribed,
  mergeProgram,
  type Program,
  programsFromJson,
  programsToJson,
} from './known-program.ts';

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

/** What is to be stored, and what it replaces: undefined if nothing is stored. */
export interface ProgramsChange extends StoredPrograms {
  readonly replaces: string | undefined;
}

/** The programs of all organisations: grows with each event that describes its program. */
export interface ProgramCatalogue {
  /**
   * Learns from an event. A newer event changes what an older one said, never the other way round.
   *
   * @param at epoch ms of the event
   */
  learn(event: CapillaryEvent, at: number): void;
  /**
   * Learns from what Capillary's API says about the programs of a customer.
   *
   * @param at epoch ms of the fetch
   */
  learnPrograms(orgId: number, programs: readonly ProgramEntity[], at: number): void;
  of(orgId: number): Programs;
  /** Organisations with changes since the last call, as JSON for `load`. */
  takeChanges(): readonly ProgramsChange[];
  /** Changes that were taken could not be stored: the next call returns them again. */
  returnChanges(changes: readonly StoredPrograms[]): void;
  /** A change that was taken is stored now. */
  changeStored(change: StoredPrograms): void;
  /**
   * Adds what is stored, here or by another process, to what is known. What is known beyond it is a
   * change.
   */
  load(stored: StoredPrograms): void;
}

interface Organisation {
  /** In the order in which they became known. */
  readonly programs: Map<string, Program>;
  hasChanged: boolean;
  /** What is stored, as far as is known. */
  stored: string | undefined;
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
const MAX_NAME_CHARS = 200;

export function createProgramCatalogue(): ProgramCatalogue {
  const organisations = new Map<number, Organisation>();
  const organisationOf = (orgId: number): Organisation => {
    const organisation = organisations.get(orgId) ?? {
      programs: new Map(),
      hasChanged: false,
      stored: undefined,
    };
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
    learnPrograms(orgId, programs, at) {
      for (const entity of programs) {
        const id = programIdText(entity.programId);
        if (id === undefined) {
          continue;
        }
        const organisation = organisationOf(orgId);
        const details = detailsOf(entity);
        const program = programIn(organisation, id, Object.keys(details).length > 0);
        if (program !== undefined && learnDetails(program, details, at)) {
          organisation.hasChanged = true;
        }
      }
    },
    of: (orgId) => programsOf(organisations.get(orgId)),
    takeChanges() {
      const changes: ProgramsChange[] = [];
      for (const [orgId, organisation] of organisations) {
        if (organisation.hasChanged) {
          organisation.hasChanged = false;
          const json = JSON.stringify(programsToJson(organisation.programs));
          changes.push({ orgId, json, replaces: organisation.stored });
        }
      }
      return changes;
    },
    returnChanges(changes) {
      for (const { orgId } of changes) {
        organisationOf(orgId).hasChanged = true;
      }
    },
    changeStored({ orgId, json }) {
      organisationOf(orgId).stored = json;
    },
    load({ orgId, json }) {
      const organisation = organisationOf(orgId);
      const known = [...organisation.programs];
      // The order of the store counts, so that all processes have the same.
      organisation.programs.clear();
      for (const [id, stored] of programsFromJson(json)) {
        const program = programIn(organisation, id, true);
        if (program !== undefined) mergeProgram(program, stored);
      }
      organisation.stored = json;
      organisation.hasChanged = false;
      for (const [id, own] of known) {
        const program = programIn(organisation, id, isDescribed(own));
        if (program !== undefined && mergeProgram(program, own)) organisation.hasChanged = true;
      }
    },
  };
}

/** In the form of an event's `loyaltyProgramDetails`. */
function detailsOf({ name, isDefault, tier, nextTier }: ProgramEntity): JsonObject {
  const tiers = [tier, nextTier].flatMap((one) =>
    one?.name === undefined ? [] : [{ tierNumber: one.number, tierName: one.name }],
  );
  return {
    ...(name === undefined ? {} : { name }),
    ...(isDefault === undefined ? {} : { isDefault }),
    ...(tiers.length === 0 ? {} : { tiers }),
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
function programIn(organisation: Organisation, id: string, hasDetails: boolean): Program | undefined {
  const { programs } = organisation;
  const known = programs.get(id);
  if (known !== undefined || (programs.size >= MAX_PROGRAMS && !(hasDetails && makeRoom(programs)))) {
    return known;
  }
  const program: Program = { tiers: new Map() };
  programs.set(id, program);
  organisation.hasChanged = true;
  return program;
}

/** Removes a program of which only the id is known: wrong ids must not fill the list. */
function makeRoom(programs: Organisation['programs']): boolean {
  for (const [id, program] of programs) {
    if (!isDescribed(program)) {
      return programs.delete(id);
    }
  }
  return false;
}

/** @returns whether something changed that must be stored */
function learnDetails(program: Program, details: JsonObject, at: number): boolean {
  const said: Program = { tiers: new Map() };
  const name = nameText(details['name']);
  if (name !== undefined) {
    said.name = { value: name, at };
  }
  if (typeof details['isDefault'] === 'boolean') {
    said.isDefault = { value: details['isDefault'], at };
  }
  for (const tier of Array.isArray(details['tiers']) ? details['tiers'] : []) {
    const number = isJsonObject(tier) ? idText(tier['tierNumber']) : undefined;
    const tierName = isJsonObject(tier) ? nameText(tier['tierName']) : undefined;
    if (number !== undefined && tierName !== undefined) {
      mergeProgram(said, { tiers: new Map([[number, { value: tierName, at }]]) });
    }
  }
  return mergeProgram(program, said);
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
