import type { DestinationConfig } from '../config/config-schema.ts';
import { type Journal, StoreError } from '../journal/journal.ts';
import type { PriorState } from '../mapping/customer/apply-to-customer.ts';
import type { MappingResult } from '../mapping/mapping-result.ts';
import type { ProgramCatalogue, ProgramsChange } from '../mapping/program-catalogue.ts';
import type { DeliveryObserver } from './delivery-observer.ts';
import { createEnrichmentStep, type Started } from './enrichment-step.ts';
import type { Waits } from './enriching.ts';
import type { InFlight } from './in-flight.ts';
import type { MappingParts } from './mapping-parts.ts';
import {
  countContacts,
  mapReadEvent,
  type Prepared,
  type PrepareParts,
  prepareMapped,
  readEvent,
  victimLane,
} from './prepare.ts';
import { endMapping, failMapping, releaseMapping, startMapping } from './spans.ts';
import { storePrograms } from './store-programs.ts';

export interface PreparerParts {
  readonly destination: DestinationConfig;
  readonly journal: Pick<Journal, 'profiles' | 'savePrograms' | 'append' | 'holds' | 'enrichments'>;
  readonly programs: ProgramCatalogue;
  readonly observer: Pick<DeliveryObserver, 'errorCaught'>;
  /** Epoch ms. */
  readonly now: () => number;
  /** Called for each event, at once or later. */
  readonly onPrepared: (inFlight: InFlight, prepared: Prepared) => void;
  /** Called with the events that have no source: a reload has removed it after the claim. */
  readonly onUnknownSource: (inFlight: InFlight) => void;
  /** Called when an event no longer waits for its enrichment. */
  readonly onWaitEnded: () => void;
  /** Called with the events whose wait for their enrichment was ended. */
  readonly onReleased: (inFlight: InFlight) => void;
  /** Called with events that the failing store kept from being prepared. */
  readonly onStoreError: (all: readonly InFlight[], error: StoreError) => void;
}

/**
 * Prepares arrays of events. An event that must wait for the store or for its enrichment does not
 * hold up the others.
 */
export interface Preparer {
  prepare(array: readonly InFlight[], mapping: MappingParts): void;
  /** Events that wait for their enrichment. */
  readonly waits: Waits;
  /** The event is going to be claimed again: what was fetched for it is in the journal. */
  remember(receipt: string): void;
  /** Releases the events that wait for their enrichment. */
  release(reason: string): void;
}

/** An event that was mapped, but needs the store. */
interface Mapped extends Started {
  readonly mapped: MappingResult;
  /** What it said about programs. */
  readonly learnt: readonly ProgramsChange[];
  readonly victimLane: string | undefined;
}

/** The events of one array that wait. */
interface Turn {
  readonly waiting: Mapped[];
  /** By the call that counts their contacts. */
  readonly counted: Map<Promise<void>, Started[]>;
}

function newTurn(): Turn {
  return { waiting: [], counted: new Map() };
}

export function createPreparer(parts: PreparerParts): Preparer {
  const { destination, journal, programs, observer } = parts;

  const succeed = (inFlight: InFlight, prepared: Prepared): void => {
    if (inFlight.span !== undefined) endMapping(inFlight.span, prepared);
    parts.onPrepared(inFlight, prepared);
  };

  const fail = (all: readonly InFlight[], error: unknown): void => {
    // A failing store is not the events' fault: they are released and claimed again.
    if (error instanceof StoreError) {
      for (const { span } of all) if (span !== undefined) failMapping(span, error);
      parts.onStoreError(all, error);
      return;
    }
    for (const inFlight of all) {
      const message = `event ${inFlight.event.receipt} could not be mapped`;
      observer.errorCaught(destination.name, message, error);
      const detail = 'the mapping failed; the log has the error';
      succeed(inFlight, { kind: 'unusable', reason: 'mapping-failed', detail, notes: [] });
    }
  };

  const finish = (
    { inFlight, read, parts: used }: Started,
    mapped: MappingResult,
    victim: PriorState['victim'],
  ): void => {
    let prepared: Prepared;
    try {
      prepared = prepareMapped(inFlight.event, read, mapped, victim, used);
    } catch (error) {
      fail([inFlight], error);
      return;
    }
    succeed(inFlight, prepared);
  };

  /** Without a wait, the read event and its mapping are garbage before the next one is read. */
  const finishOrWait = (started: Started, mapped: MappingResult, waiting: Mapped[]): void => {
    const learnt = programs.takeChanges();
    const lane = mapped.outcome === 'failed' ? undefined : victimLane(started.inFlight.event, started.read);
    if (learnt.length === 0 && lane === undefined) finish(started, mapped, undefined);
    else waiting.push({ ...started, mapped, learnt, victimLane: lane });
  };

  const map = (started: Started, waiting: Mapped[]): void => {
    let mapped: MappingResult | Promise<MappingResult>;
    try {
      mapped = mapReadEvent(started.read);
    } catch (error) {
      fail([started.inFlight], error);
      return;
    }
    if (mapped instanceof Promise) void mapOverridden(started, mapped);
    else finishOrWait(started, mapped, waiting);
  };

  const mapOverridden = async (started: Started, overridden: Promise<MappingResult>): Promise<void> => {
    let mapped: MappingResult;
    try {
      mapped = await overridden;
    } catch (error) {
      fail([started.inFlight], error);
      return;
    }
    const waiting: Mapped[] = [];
    finishOrWait(started, mapped, waiting);
    await finishWaiting(waiting);
  };

  /**
   * Stores what events said about programs before they are delivered: no later event may say it
   * again.
   * @returns whether that succeeded
   */
  const savePrograms = async (learners: readonly Mapped[]): Promise<boolean> => {
    // The newest of an organisation contains what the ones before said.
    const learnt = new Map(learners.flatMap((one) => one.learnt).map((one) => [one.orgId, one]));
    try {
      await storePrograms(programs, journal, [...learnt.values()]);
      return true;
    } catch (error) {
      const all = learners.map(({ inFlight }) => inFlight);
      fail(all, error);
      return false;
    }
  };

  /** Reads the states of merged customers, and finishes the events that merge them. */
  const finishMerges = async (merges: readonly Mapped[]): Promise<void> => {
    const lanes = merges.flatMap((one) => one.victimLane ?? []);
    let states: ReadonlyMap<string, string>;
    try {
      states = await journal.profiles(destination.name, lanes);
    } catch (error) {
      const all = merges.map(({ inFlight }) => inFlight);
      fail(all, error);
      return;
    }
    for (const one of merges) {
      const lane = one.victimLane;
      finish(one, one.mapped, lane === undefined ? undefined : { lane, state: states.get(lane) });
    }
  };

  /** With one call of each kind for all of them. */
  const finishWaiting = async (waiting: readonly Mapped[]): Promise<void> => {
    const learners = waiting.filter(({ learnt }) => learnt.length > 0);
    const isSaved = learners.length === 0 || (await savePrograms(learners));
    const rest = isSaved ? waiting : waiting.filter(({ learnt }) => learnt.length === 0);
    const merges = rest.filter((one) => one.victimLane !== undefined);
    for (const one of rest) if (one.victimLane === undefined) finish(one, one.mapped, undefined);
    if (merges.length > 0) await finishMerges(merges);
  };

  const mapCounted = async (counted: readonly Started[], counting: Promise<void>): Promise<void> => {
    try {
      await counting;
    } catch (error) {
      const all = counted.map(({ inFlight }) => inFlight);
      fail(all, error);
      return;
    }
    const waiting: Mapped[] = [];
    for (const one of counted) map(one, waiting);
    await finishWaiting(waiting);
  };

  /** Finishes an event, or adds it to those that wait. */
  const countAndMap = (started: Started, { waiting, counted }: Turn): void => {
    const { inFlight, read, parts: used } = started;
    let counting: Promise<void> | undefined;
    try {
      counting = countContacts(inFlight.event, read, used);
    } catch (error) {
      fail([inFlight], error);
      return;
    }
    if (counting === undefined) {
      map(started, waiting);
      return;
    }
    const together = counted.get(counting);
    if (together === undefined) counted.set(counting, [started]);
    else together.push(started);
  };

  const endTurn = ({ waiting, counted }: Turn): void => {
    for (const [counting, together] of counted) void mapCounted(together, counting);
    if (waiting.length > 0) void finishWaiting(waiting);
  };

  const enrichment = createEnrichmentStep<Turn>({
    ...parts,
    onPrepared: succeed,
    onReleased(inFlight) {
      if (inFlight.span !== undefined) releaseMapping(inFlight.span);
      parts.onReleased(inFlight);
    },
    onStoreError: (inFlight, error) => fail([inFlight], error),
    proceed(started, turn) {
      const own = turn ?? newTurn();
      countAndMap(started, own);
      if (turn === undefined) endTurn(own);
    },
  });

  const begin = (inFlight: InFlight, used: PrepareParts, turn: Turn): void => {
    const { event } = inFlight;
    inFlight.span = startMapping(event);
    let read: ReturnType<typeof readEvent>;
    try {
      read = readEvent(event, used);
    } catch (error) {
      fail([inFlight], error);
      return;
    }
    if ('kind' in read) {
      succeed(inFlight, read);
      return;
    }
    const started = { inFlight, read, parts: used };
    if (used.enricher === undefined) countAndMap(started, turn);
    else enrichment.begin(started, used.enricher, turn);
  };

  return {
    prepare(array, { sources, contacts, enrichers }) {
      const now = parts.now();
      const partsOf = new Map<string, PrepareParts>();
      const turn = newTurn();
      for (const inFlight of array) {
        const name = inFlight.event.source;
        let used = partsOf.get(name);
        const source = used?.source ?? sources.get(name);
        if (source === undefined) {
          parts.onUnknownSource(inFlight);
          continue;
        }
        used ??= { destination, source, programs, contacts, now, enricher: enrichers.get(name) };
        partsOf.set(name, used);
        begin(inFlight, used, turn);
      }
      endTurn(turn);
    },
    waits: enrichment.waits,
    remember: (receipt) => enrichment.remember(receipt),
    release: (reason) => enrichment.release(reason),
  };
}
