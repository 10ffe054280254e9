import type { DeliveryRow } from '../../capillary/api/delivery-log.ts';
import { CATALOGUE } from '../../capillary/catalogue.ts';
import { splitEventType } from '../../capillary/event-envelope.ts';
import { customerIdText } from '../../capillary/identifiers.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import type { Acceptance } from '../../intake/accept.ts';
import type { Journal, Landings } from '../../journal/journal.ts';
import { VERIFIED_BY_RECONCILE } from '../../sources/logged-request.ts';
import { keptPayloads } from './kept-payloads.ts';
import type { LogIntake } from './log-intake.ts';
import { type LoggedEvent, loggedEventOf } from './logged-event.ts';
import { type JudgedRow, knownEntry, missingEntry, unusableEntry } from './row-entry.ts';
import { verdictOf } from './row-verdict.ts';
import type { SlotEntry, SlotTally } from './slot-account.ts';

export interface LogPageParts {
  readonly source: SourceConfig;
  readonly journal: Pick<Landings, 'known' | 'askRefresh'> & Pick<Journal, 'list' | 'find'>;
  readonly intake: LogIntake;
  readonly onRecovered: (count: number) => void;
}

export interface PageScan {
  /** As the journal answers it, epoch ms. */
  readonly knownSince: number | undefined;
  /** Whether unknown events are taken. */
  readonly resend: boolean;
  /** Unusable rows that have been dealt with by earlier scans of the slot. */
  readonly kept: Readonly<Record<string, string>>;
}

/** Finds out what became of each event of a page of the log, and takes those that are unknown. */
export interface LogPage {
  scan(rows: readonly DeliveryRow[], tally: SlotTally, scan: PageScan): Promise<void>;
}

type ReadRow = readonly [DeliveryRow, LoggedEvent];

/** The relay's own answer to a malformed body, which Capillary has in its log. */
const KEPT_AS = /\bkept as ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/;

/** Ids are Capillary's, so one of them can be the name of a method of objects. */
function keptReceipt({ id }: DeliveryRow, kept: PageScan['kept']): string | undefined {
  return Object.hasOwn(kept, id) ? kept[id] : undefined;
}

/** Only in events of customers the primary identifier is the customer's id. */
function customerOf({ eventName, searchValue }: DeliveryRow): string | undefined {
  const name = splitEventType(eventName).eventName ?? eventName;
  return CATALOGUE.get(name)?.area === 'customer' ? customerIdText(searchValue) : undefined;
}

export function createLogPage({ source, journal, intake, onRecovered }: LogPageParts): LogPage {
  const { name, orgIds, timezone } = source;

  const judge = async (
    read: readonly ReadRow[],
    knownSince: number | undefined,
  ): Promise<readonly JudgedRow[]> => {
    const identities = new Set(read.flatMap(([, event]) => event.identities));
    const known = await journal.known(name, [...identities]);
    return read.map(([row, event]) => {
      const all = event.identities.flatMap((identity) => known.get(identity) ?? []);
      const found = all.find(({ verifiedBy }) => verifiedBy !== VERIFIED_BY_RECONCILE) ?? all[0];
      return { row, event, receipt: found?.receipt, verdict: verdictOf(row, found, knownSince) };
    });
  };

  /** A webhook may have come while the event was taken: then what the journal has decides. */
  const takenEntry = async (
    judged: JudgedRow,
    acceptance: Acceptance | undefined,
    { knownSince }: PageScan,
  ): Promise<SlotEntry> => {
    if (acceptance?.status === 'accepted') return knownEntry(judged, 'recovered', acceptance.receipt);
    const [again = judged] = await judge([[judged.row, judged.event]], knownSince);
    const outcome = again.verdict.outcome === 'accepted' ? 'accepted' : 'recovered';
    return knownEntry(again, outcome, again.receipt);
  };

  const take = async (
    usable: readonly JudgedRow[],
    scan: PageScan,
  ): Promise<ReadonlyMap<JudgedRow, SlotEntry>> => {
    const entries = new Map<JudgedRow, SlotEntry>();
    if (!scan.resend) return entries;
    const taken = await intake.take(usable.map(({ event }) => event.body ?? ''));
    for (const [index, judged] of usable.entries())
      entries.set(judged, await takenEntry(judged, taken[index], scan));
    const recovered = taken.filter(({ status }) => status === 'accepted').length;
    if (recovered > 0) onRecovered(recovered);
    return entries;
  };

  /** Stores payloads that are no events as dead letters, once. */
  const keep = async (
    unusable: readonly JudgedRow[],
    { resend, kept }: PageScan,
  ): Promise<ReadonlyMap<JudgedRow, string>> => {
    const receipts = new Map<JudgedRow, string>();
    const payloads: { readonly judged: JudgedRow; readonly body: string }[] = [];
    for (const judged of unusable) {
      const { row, event } = judged;
      const receipt = KEPT_AS.exec(row.message)?.[1] ?? keptReceipt(row, kept);
      const isKept = receipt !== undefined && (receipt !== '' || event.body === undefined);
      if (isKept) receipts.set(judged, receipt);
      else if (event.body !== undefined && resend) payloads.push({ judged, body: event.body });
    }
    const stored = await keptPayloads(
      journal,
      name,
      payloads.map(({ body }) => body),
    );
    const toStore = payloads.filter(({ judged, body }) => {
      const receipt = stored.get(body);
      if (receipt !== undefined) receipts.set(judged, receipt);
      return receipt === undefined;
    });
    const taken = await intake.take(toStore.map(({ body }) => body));
    for (const [index, { judged }] of toStore.entries()) {
      const acceptance = taken[index];
      receipts.set(judged, acceptance?.status === 'malformed' ? acceptance.receipt : '');
    }
    return receipts;
  };

  /** So that at least the profile is true. @returns the rows whose customers are refreshed */
  const askRefresh = async (
    unusable: readonly JudgedRow[],
    { kept }: PageScan,
  ): Promise<ReadonlySet<JudgedRow>> => {
    if (source.enrich === undefined) return new Set();
    const asked = unusable.filter(({ row }) => customerOf(row) !== undefined);
    const fresh = asked.filter(({ row }) => keptReceipt(row, kept) === undefined);
    const customers = new Set(fresh.flatMap(({ row }) => customerOf(row) ?? []));
    if (customers.size > 0) await journal.askRefresh(name, [...customers]);
    return new Set(asked);
  };

  return {
    async scan(rows, tally, scan) {
      const read = rows.map((row) => [row, loggedEventOf(row, { orgIds, timezone })] as const);
      const judged = await judge(read, scan.knownSince);
      const unknown = judged.filter(({ verdict }) => verdict.outcome === 'unknown');
      const unusable = unknown.filter(({ event }) => event.fault !== undefined);
      const entries = await take(
        unknown.filter(({ event }) => event.fault === undefined),
        scan,
      );
      const receipts = await keep(unusable, scan);
      const refreshed = await askRefresh(unusable, scan);
      for (const one of judged) {
        const { outcome } = one.verdict;
        const entry = entries.get(one);
        if (entry !== undefined) tally.add(entry);
        else if (outcome !== 'unknown') tally.add(knownEntry(one, outcome, one.receipt));
        else if (one.event.fault === undefined) tally.add(missingEntry(one, name));
        else {
          const receipt = receipts.get(one) ?? '';
          tally.add(unusableEntry(one, receipt, refreshed.has(one)));
          if (receipts.has(one) || refreshed.has(one)) tally.keep(one.row.id, receipt);
        }
      }
    },
  };
}
