import { isJsonObject, type JsonObject } from '../../capillary/json.ts';
import { toTimestamp } from '../../capillary/times.ts';
import { type AttributeVersion, isNewer, type ReadonlyAttributes } from './attribute-version.ts';
import { type Fact, type FactGroups, factPath } from './facts.ts';
import { currentAnswers } from './snapshot-answers.ts';

/*
 * An answer to a subscription is a fact `@consent[<channel>].a[<account>/<business unit>]`, where
 * the channel is Capillary's. XDM has one answer per channel, which is computed from them. What
 * Capillary's API says about a channel is `@consent[<channel>].s` (`snapshot-answers.ts`).
 */
export const CONSENT_FACTS = 'consent';
const ANSWER = 'a';
const SNAPSHOT_ANSWER = 's';

export type Answer = 'y' | 'n';

/**
 * XDM's channel by Capillary's, in lower-case letters. Capillary calls text messages `MOBILE` too,
 * and apps have a channel for each kind of device (docs/platforms/capillary.md#subscriptions).
 */
const CHANNELS: ReadonlyMap<string, string> = new Map([
  ['sms', 'sms'],
  ['mobile', 'sms'],
  ['email', 'email'],
  ['whatsapp', 'whatsApp'],
  ['push', 'push'],
  ['mobilepush', 'push'],
  ['apppush', 'push'],
  ['ios', 'push'],
  ['android', 'push'],
  ['webpush', 'push'],
  ['web', 'push'],
  ['voice', 'call'],
  ['call', 'call'],
]);

/** Different words for one channel of Capillary. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['mobile', 'sms'],
  ['voice', 'call'],
  ['web', 'webpush'],
  ['mobilepush', 'push'],
  ['apppush', 'push'],
]);

/** Channels that have `subscriptions` in XDM (docs/platforms/adobe.md#consents). */
const WITH_SUBSCRIPTIONS: ReadonlySet<string> = new Set(['email', 'push', 'sms', 'whatsApp']);

/** The channels of `consents.marketing` that are computed. */
export const CONSENT_CHANNELS: readonly string[] = [...new Set(CHANNELS.values())];

export function consentPath(channel: string): string {
  return `consents.marketing.${channel}`;
}

/**
 * The path of an answer's fact; undefined for a channel that XDM does not have.
 * @param channel in lower-case letters
 */
export function answerFact(
  channel: string,
  {
    account = '',
    orgUnit = '',
  }: { readonly account?: string | undefined; readonly orgUnit?: string | undefined },
): string | undefined {
  return CHANNELS.has(channel)
    ? factPath(CONSENT_FACTS, SYNONYMS.get(channel) ?? channel, [ANSWER, `${account}/${orgUnit}`])
    : undefined;
}

/**
 * The path of the answer that Capillary's API states for a channel, whatever the accounts are;
 * undefined for a channel that XDM does not have.
 * @param channel in lower-case letters
 */
export function snapshotAnswerFact(channel: string): string | undefined {
  return CHANNELS.has(channel)
    ? factPath(CONSENT_FACTS, SYNONYMS.get(channel) ?? channel, SNAPSHOT_ANSWER)
    : undefined;
}

/** The facts of the answers for a channel of XDM. */
export function answerFactPattern(channel: string): RegExp {
  const words = [...CHANNELS].filter(([, xdm]) => xdm === channel).map(([word]) => word);
  return new RegExp(`^@${CONSENT_FACTS}\\[(?:${words.join('|')})\\]\\.`);
}

/** An answer; without a key it has no account and no business unit of its own. */
interface DatedAnswer {
  readonly key: string | undefined;
  readonly consent: JsonObject;
  readonly at: number;
  readonly by: string;
}

/** How the answers of several accounts become one. */
export type ConsentRule = 'any-out' | 'last';

/**
 * The consents by path. An opt-out of any account counts for its channel, or the newest answer, as
 * the rule says; `val` and `time` are always those of one answer.
 *
 * @param customers the newest answer of an account counts, whoever of them gave it
 * @param stored consents that are attributes: of an older relay, a custom field or an override;
 *   each counts as an account of its own until a newer answer
 */
export function consentsOf(
  customers: readonly FactGroups[],
  stored: ReadonlyAttributes,
  rule: ConsentRule,
): ReadonlyAttributes {
  const consents = new Map<string, AttributeVersion>();
  if (!customers.some((groups) => groups.has(CONSENT_FACTS))) {
    return consents;
  }
  for (const channel of CONSENT_CHANNELS) {
    const path = consentPath(channel);
    const answers = withStored(answersFor(channel, customers), stored.get(path));
    const decisive = decisiveAnswer(answers, rule);
    const [newest] = answers.toSorted((a, b) => (isNewer(a, b) ? -1 : 1));
    if (decisive !== undefined && newest !== undefined) {
      const subscriptions = WITH_SUBSCRIPTIONS.has(channel) ? subscriptionsIn(answers) : {};
      const value = { ...decisive.consent, ...subscriptions };
      consents.set(path, { value, at: newest.at, by: newest.by });
    }
  }
  return consents;
}

function answersFor(channel: string, customers: readonly FactGroups[]): readonly DatedAnswer[] {
  const answers = new Map<string, DatedAnswer>();
  const found = customers.flatMap((customer) =>
    [...(customer.get(CONSENT_FACTS) ?? [])].flatMap(([word, facts]) =>
      CHANNELS.get(word) === channel
        ? facts.map((fact) => ({ customer, word, fact, isSnapshot: fact.name === SNAPSHOT_ANSWER }))
        : [],
    ),
  );
  for (const { word, fact, isSnapshot, time } of currentAnswers(found, customers)) {
    const account = `${word} ${isSnapshot ? SNAPSHOT_ANSWER : fact.item}`;
    const other = answers.get(account);
    if (other === undefined || isNewer(fact, other)) {
      answers.set(account, answerOf(fact, word, { channel, time, isSnapshot }));
    }
  }
  return [...answers.values()];
}

function answerOf(
  { value, item, at, by }: Fact,
  word: string,
  { channel, time, isSnapshot }: { channel: string; time: number; isSnapshot: boolean },
): DatedAnswer {
  if (isSnapshot) {
    return { key: undefined, consent: { val: value, time: toTimestamp(time) }, at, by };
  }
  const [account, orgUnit] = [item.slice(0, item.lastIndexOf('/')), item.slice(item.lastIndexOf('/') + 1)];
  const parts = [account, orgUnit === '' ? '' : `ou-${orgUnit}`].filter((part) => part !== '');
  const prefix = word === channel.toLowerCase() ? [] : [word];
  return {
    key: parts.length === 0 ? undefined : [...prefix, ...parts].join('-').replaceAll(/[^\w-]/g, '_'),
    consent: { val: value, time: toTimestamp(time) },
    at,
    by,
  };
}

/** A stored consent counts until a newer answer, and in place of those of its own event. */
function withStored(
  answers: readonly DatedAnswer[],
  stored: AttributeVersion | undefined,
): readonly DatedAnswer[] {
  if (stored === undefined || !isJsonObject(stored.value)) {
    return answers;
  }
  const { value, at, by } = stored;
  const isSameEvent = (answer: DatedAnswer): boolean => answer.at === at && answer.by === by;
  const others = answers.filter((answer) => !isSameEvent(answer));
  if (others.some((answer) => isNewer(answer, stored))) {
    return others;
  }
  const isOwnTime = others.length === answers.length;
  const consent: JsonObject = isOwnTime ? value : { time: toTimestamp(at), ...value };
  return [...others, { key: undefined, consent, at, by }];
}

function decisiveAnswer(answers: readonly DatedAnswer[], rule: ConsentRule): DatedAnswer | undefined {
  const inOrder = answers.toSorted((a, b) => (isNewer(a, b) ? -1 : 1));
  const optOut = rule === 'any-out' ? inOrder.find(({ consent }) => consent['val'] === 'n') : undefined;
  return optOut ?? inOrder[0];
}

function subscriptionsIn(answers: readonly DatedAnswer[]): JsonObject {
  const subscriptions = answers.flatMap(({ key, consent: { val } }) =>
    key === undefined || val === undefined ? [] : [[key, { val }] as const],
  );
  return subscriptions.length === 0
    ? {}
    : { subscriptions: Object.fromEntries(subscriptions.toSorted(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Answers that are kept of one customer and channel; no brand has nearly as many accounts. */
const MAX_ANSWERS = 100;

/** Paths of the oldest answers beyond the limit, opt-ins first. */
export function outdatedConsentFacts(customers: readonly FactGroups[]): readonly string[] {
  return customers.flatMap((groups) =>
    [...(groups.get(CONSENT_FACTS) ?? [])].flatMap(([channel, facts]) =>
      facts.length <= MAX_ANSWERS
        ? []
        : facts
            .toSorted((a, b) => Number(b.value === 'n') - Number(a.value === 'n') || (isNewer(a, b) ? -1 : 1))
            .slice(MAX_ANSWERS)
            .map(({ name, item }) => factPath(CONSENT_FACTS, channel, [name, item])),
    ),
  );
}
