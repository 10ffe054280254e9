import type { DeliveryRow } from '../../capillary/api/delivery-log.ts';
import { CATALOGUE } from '../../capillary/catalogue.ts';
import { eventIdText, shortId } from '../../capillary/event-id.ts';
import { splitEventType } from '../../capillary/event-envelope.ts';
import { customerIdText } from '../../capillary/identifiers.ts';
import { VERIFIED_BY_RECONCILE } from '../../sources/logged-request.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import type { KnownEvent, Landings } from '../../journal/landings.ts';
import type { Acceptance } from '../../intake/accept.ts';
import type { LogIntake } from './log-intake.ts';
import { type LoggedEvent, loggedEventOf } from './logged-event.ts';
import { lossOf, type RowVerdict, verdictOf } from './row-verdict.ts';
import type { SlotEntry, SlotTally } from './slot-account.ts';

export interface LogPageParts {
  readonly source: SourceConfig;
  readonly journal: Pick<Landings, 'known' | 'askRefresh'>;
  readonly intake: LogIntake;
  readonly onRecovered: (count: number) => void;
}

export interface PageScan {
  /** As the journal answers it, epoch ms. */
  readonly knownSince: number | undefined;
  /** Whether unknown events are taken. */
  readonly resend: boolean;
  /** Rows of earlier scans of the slot that have been dealt with. */
  readonly kept: Readonly<Record<string, string>>;
}

/** Finds out what became of each event of a page of the log, and takes those that are unknown. */
export interface LogPage {
  scan(rows: readonly DeliveryRow[], tally: SlotTally, scan: PageScan): Promise<void>;
}

interface Judged {
  readonly row: DeliveryRow;
  readonly event: LoggedEvent;
  /** Of the event that the journal has. */
  readonly receipt: string | undefined;
  readonly verdict: RowVerdict;
}

/** The relay's own answer to a malformed body, which Capillary has in its log. */
const KEPT_AS = /\bkept as ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/;

function namesOf(row: DeliveryRow): Pick<NonNullable<SlotEntry['difference']>, 'eventId' | 'eventName'> {
  const { eventName = row.eventName } = splitEventType(row.eventName);
  const eventId = eventIdText(row.eventId);
  return {
    ...(eventId === undefined ? {} : { eventId: shortId(eventId) }),
    ...(eventName === '' ? {} : { eventName }),
  };
}

/** What Capillary's log says of the attempts. */
function attemptsOf({ status, answered, retryCount }: DeliveryRow): string {
  const answer = answered === undefined ? 'no answer' : `the answer ${answered}`;
  return `Capillary has it as ${status === '' ? 'unknown' : status} with ${answer} after ${retryCount + 1} attempts`;
}

/** Only in events of customers the primary identifier is the customer's id. */
function customerOf({ eventName, searchValue }: DeliveryRow): string | undefined {
  const name = splitEventType(eventName).eventName ?? eventName;
  return CATALOGUE.get(name)?.area === 'customer' ? customerIdText(searchValue) : undefined;
}

export function createLogPage({ source, journal, intake, onRecovered }: LogPageParts): LogPage {
  const { name } = source;

  const knownOf = (identities: Iterable<string>): Promise<ReadonlyMap<string, KnownEvent>> =>
    journal.known(name, [...new Set(identities)]);

  const judge = async (
    read: readonly (readonly [DeliveryRow, LoggedEvent])[],
    knownSince: number | undefined,
  ): Promise<readonly Judged[]> => {
    const known = await knownOf(read.flatMap(([, { identities }]) => identities));
    return read.map(([row, event]) => {
      const all = event.identities.flatMap((identity) => known.get(identity) ?? []);
      const found = all.find(({ verifiedBy }) => verifiedBy !== VERIFIED_BY_RECONCILE) ?? all[0];
      return { row, event, receipt: found?.receipt, verdict: verdictOf(row, found, knownSince) };
    });
  };

  const knownEntry = (
    { row, verdict, ...judged }: Judged,
    outcome: 'accepted' | 'recovered',
    receipt = judged.receipt,
  ): SlotEntry => {
    const { difference } = verdict;
    if (difference === undefined) return { outcome, isUnsettled: false };
    const named = { ...namesOf(row), ...(receipt === undefined ? {} : { receipt }) };
    if (difference.kind === 'answer-lost') {
      const detail = `it was accepted, but ${attemptsOf(row)}: the answer was lost`;
      return { outcome, isUnsettled: false, difference: { ...difference, ...named, isOpen: false, detail } };
    }
    const isAlarm = difference.kind === 'acknowledged-unknown';
    const detail = isAlarm
      ? `it was taken from the log, although ${attemptsOf(row)}: find out who answered`
      : `it was taken from the log; ${attemptsOf(row)}`;
    const fix = isAlarm && receipt !== undefined ? { fix: `capillary-relay explain ${receipt}` } : {};
    return {
      outcome,
      isUnsettled: false,
      difference: { ...difference, ...named, isOpen: false, detail, ...fix },
    };
  };

  const missingEntry = ({ row, verdict }: Judged): SlotEntry => ({
    outcome: 'missing',
    isUnsettled: verdict.isUnsettled,
    difference: {
      ...lossOf(row),
      ...namesOf(row),
      isOpen: true,
      detail: `it was not accepted; ${attemptsOf(row)}`,
      fix: `capillary-relay reconcile --source ${name} --resend`,
    },
  });

  /** @param receipt of the dead letter with the payload */
  const unusableEntry = ({ row, event, verdict }: Judged, receipt: string, isAsked: boolean): SlotEntry => {
    const loss = lossOf(row);
    const kind = loss.kind === 'given-up' ? 'no-payload' : loss.kind;
    const refresh = isAsked ? '; a refresh of the profile has been asked for' : '';
    return {
      outcome: 'unrecoverable',
      isUnsettled: verdict.isUnsettled,
      difference: {
        kind,
        cause: loss.cause,
        ...namesOf(row),
        isOpen: true,
        detail: `${event.fault ?? 'its payload cannot be used'}; ${attemptsOf(row)}${refresh}`,
        ...(receipt === ''
          ? {}
          : { receipt, fix: `capillary-relay dead-letters replay ${receipt}, or discard it` }),
      },
    };
  };

  /** Stores payloads that are no events as dead letters, once. */
  const keep = async (
    unusable: readonly Judged[],
    { resend, kept }: PageScan,
  ): Promise<ReadonlyMap<Judged, string>> => {
    const receipts = new Map<Judged, string>();
    const toStore: { readonly judged: Judged; readonly body: string }[] = [];
    for (const judged of unusable) {
      const { row, event } = judged;
      const receipt = KEPT_AS.exec(row.message)?.[1] ?? kept[row.id];
      const isKept = receipt !== undefined && (receipt !== '' || event.body === undefined);
      if (isKept) receipts.set(judged, receipt);
      else if (event.body !== undefined && resend) toStore.push({ judged, body: event.body });
    }
    const stored = await intake.take(toStore.map(({ body }) => body));
    for (const [index, { judged }] of toStore.entries()) {
      const acceptance = stored[index];
      receipts.set(judged, acceptance?.status === 'malformed' ? acceptance.receipt : '');
    }
    return receipts;
  };

  const askRefresh = async (
    unusable: readonly Judged[],
    { kept }: Pick<PageScan, 'kept'>,
  ): Promise<ReadonlySet<Judged>> => {
    if (source.enrich === undefined) return new Set();
    const asked = unusable.filter(({ row }) => customerOf(row) !== undefined);
    const fresh = asked.filter(({ row }) => row.id === '' || !(row.id in kept));
    const customers = fresh.flatMap(({ row }) => customerOf(row) ?? []);
    if (customers.length > 0) await journal.askRefresh(name, [...new Set(customers)]);
    return new Set(asked);
  };

  /** A webhook came while the event was being taken: what the journal has decides. */
  const entryOf = async (
    judged: Judged,
    acceptance: Acceptance | undefined,
    scan: PageScan,
  ): Promise<SlotEntry> => {
    if (acceptance?.status !== 'duplicate') {
      const receipt = acceptance?.status === 'accepted' ? acceptance.receipt : undefined;
      return knownEntry(judged, 'recovered', receipt);
    }
    const [again = judged] = await judge([[judged.row, judged.event]], scan.knownSince);
    const outcome = again.verdict.outcome === 'recovered' ? 'recovered' : 'accepted';
    return knownEntry(again, outcome, acceptance.receipt);
  };

  return {
    async scan(rows, tally, scan) {
      const rules = { orgIds: source.orgIds, timezone: source.timezone };
      const read = rows.map((row) => [row, loggedEventOf(row, rules)] as const);
      const judged = await judge(read, scan.knownSince);
      const unknown = judged.filter(({ verdict }) => verdict.outcome === 'unknown');
      const unusable = unknown.filter(({ event }) => event.fault !== undefined);
      const usable = unknown.filter(({ event }) => event.fault === undefined);
      const toTake = scan.resend ? usable : [];
      const taken = await intake.take(toTake.map(({ event }) => event.body ?? ''));
      const receipts = await keep(unusable, scan);
      const asked = await askRefresh(unusable, scan);
      const entries = new Map<Judged, SlotEntry>();
      for (const [index, one] of toTake.entries()) entries.set(one, await entryOf(one, taken[index], scan));
      const recovered = taken.filter(({ status }) => status === 'accepted').length;
      if (recovered > 0) onRecovered(recovered);
      for (const one of judged) {
        const { outcome } = one.verdict;
        const entry = entries.get(one);
        if (entry !== undefined) tally.add(entry);
        else if (outcome !== 'unknown') tally.add(knownEntry(one, outcome));
        else if (one.event.fault === undefined) tally.add(missingEntry(one));
        else {
          const receipt = receipts.get(one) ?? '';
          tally.add(unusableEntry(one, receipt, asked.has(one)));
          if (receipts.has(one) || asked.has(one)) tally.keep(one.row.id, receipt);
        }
      }
    },
  };
}
