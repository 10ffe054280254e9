import { isDeepStrictEqual } from 'node:util';
import type { Inlet, TokenSource } from '../adobe/ports.ts';
import type { IdentifierKind } from '../capillary/identifiers.ts';
import type { DestinationConfig, SourceConfig } from '../config/config-schema.ts';
import type { Journal, OperatorPause } from '../journal/journal.ts';
import type { ProgramCatalogue } from '../mapping/program-catalogue.ts';
import { type ContactRegister, createContactRegister, type SharedContacts } from './contact-register.ts';
import type { DeliveryObserver } from './delivery-observer.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import type { EnricherOf } from './mapping-parts.ts';

/** One destination and the parts that deliver to it. */
export interface RunningDestination {
  readonly config: DestinationConfig;
  /** Sources that feed it. */
  readonly sources: readonly SourceConfig[];
  readonly dispatcher: Dispatcher;
  readonly inlet: Inlet;
  readonly tokens: TokenSource | undefined;
}

export interface DestinationParts {
  readonly journal: Journal;
  readonly programs: ProgramCatalogue;
  readonly observer: DeliveryObserver;
  readonly now: () => number;
  /** Whether events of a source must not be claimed now. */
  readonly isMoving: (source: string) => boolean;
  /** The enricher of a source as it is configured now; see `EnricherOf`. Absent: none has one. */
  readonly enricherOf?: EnricherOf;
  readonly createInlet: (destination: DestinationConfig) => Inlet;
  readonly createTokens: (destination: DestinationConfig) => TokenSource | undefined;
}

/** The contacts of a destination, not loaded. In raw format Data Prep builds the identities. */
export function contactsOf(
  { journal, observer }: DestinationParts,
  { name, format, identity }: DestinationConfig,
  shared: SharedContacts,
): ContactRegister | undefined {
  if (format === 'raw') return undefined;
  const kinds = new Set(Object.keys(identity.namespaces) as IdentifierKind[]);
  return createContactRegister({ destination: name, shared, kinds, journal, observer });
}

function connectionOf({ inletUrl, sandbox, limits }: DestinationConfig): object {
  return { inletUrl, sandbox, connections: limits.concurrency };
}

/** The credential without its secrets, which can be replaced in a token source. */
function credentialOf({ authenticated, ims }: DestinationConfig): object {
  return { authenticated, ims: ims && { ...ims, clientSecrets: [] } };
}

function withoutSecrets(destination: DestinationConfig): object {
  return { ...destination, ...credentialOf(destination) };
}

/** The keys of a source that delivery uses. */
function mappingOf({
  verify: _verify,
  allowFrom: _from,
  unverified: _kept,
  ...mapping
}: SourceConfig): object {
  return mapping;
}

/** Causes that can lie on the way to Adobe. */
const ON_THE_WAY: ReadonlySet<string | undefined> = new Set([
  'proxy-refused',
  'proxy-failing',
  'failing',
  'ims-network',
  'foreign-answer',
]);

/** Another proxy or CA is in use: what may have stopped the destination is tried at once. */
export function retryOtherWay({ dispatcher, tokens }: RunningDestination): void {
  if (!ON_THE_WAY.has(dispatcher.state.status().reason)) return;
  tokens?.retryNow();
  dispatcher.retryNow();
}

/** Whether the destination itself differs, its client secrets apart. */
export function needsReplacement(before: DestinationConfig, after: DestinationConfig): boolean {
  return !isDeepStrictEqual(withoutSecrets(before), withoutSecrets(after));
}

/** Whether events of these sources are mapped or counted differently. */
export function isMappedAlike(before: readonly SourceConfig[], after: readonly SourceConfig[]): boolean {
  return isDeepStrictEqual(before.map(mappingOf), after.map(mappingOf));
}

/**
 * Creates the parts of one destination, not started. Those of its predecessor that still fit are
 * used again: connections, the token, the pace, and what Adobe asked to wait for.
 */
export function createDestination(
  parts: DestinationParts,
  destination: DestinationConfig,
  more: {
    readonly sources: readonly SourceConfig[];
    readonly contacts: ContactRegister | undefined;
    readonly predecessor?: RunningDestination | undefined;
    readonly pause?: OperatorPause | undefined;
  },
): RunningDestination {
  const { sources, contacts, predecessor, pause } = more;
  const isSame = (aspect: (config: DestinationConfig) => object): boolean =>
    predecessor !== undefined && isDeepStrictEqual(aspect(predecessor.config), aspect(destination));
  const inlet = predecessor && isSame(connectionOf) ? predecessor.inlet : parts.createInlet(destination);
  const tokens = predecessor && isSame(credentialOf) ? predecessor.tokens : parts.createTokens(destination);
  const { journal, programs, observer, now, isMoving } = parts;
  const before = predecessor?.dispatcher.state.status();
  const dispatcher = createDispatcher({
    destination,
    sources,
    journal,
    programs,
    contacts,
    // In raw format Data Prep maps the event as it came.
    enricherOf: (source) => (destination.format === 'raw' ? undefined : parts.enricherOf?.(source)),
    inlet,
    tokens,
    observer,
    now,
    isMoving,
    pace: predecessor?.dispatcher.pace,
    lastSuccessAt: before?.lastSuccessAt,
  });
  const { state } = dispatcher;
  if (before?.state === 'waiting' && before.nextTryAt !== undefined && predecessor?.inlet === inlet) {
    const { reason = 'failing', detail = '', nextTryAt } = before;
    state.waitFor(reason, detail, Math.max(0, nextTryAt - now()));
  }
  if (pause !== undefined) state.pauseByOperator(pause.by, pause.at);
  return { config: destination, sources, dispatcher, inlet, tokens };
}

/**
 * Lets a destination finish what is in flight, then closes what its successor does not use. Events
 * that it has not begun are claimable again at once.
 */
export async function retireDestination(
  { dispatcher, inlet, tokens }: RunningDestination,
  successor: RunningDestination | undefined,
  wakeSuccessor: () => void,
): Promise<void> {
  await dispatcher.retire(wakeSuccessor);
  if (successor?.inlet !== inlet) await inlet.close();
  if (successor?.tokens !== tokens) tokens?.close();
}
