import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CapillaryClient } from '../../capillary/api/capillary-client.ts';
import type { Webhook } from '../../capillary/api/webhooks.ts';
import { UnreachableError } from '../admin-client.ts';
import { formatDuration } from '../time-format.ts';
import type { Acceptance, AcceptanceOf, Header } from './accepted-headers.ts';
import { type NoSecretFiles, readSecret, type SecretFiles, writeSecret } from './secret-files.ts';
import { findWebhook, RegisterError, settleWebhook } from './settle-webhook.ts';
import { completeObject, headersWith, isSameHeader, type WantedWebhook } from './wanted-webhook.ts';

export interface RotationParts {
  readonly client: Pick<CapillaryClient, 'get' | 'post' | 'put'>;
  readonly wanted: WantedWebhook;
  /** What the running relay accepts now. */
  readonly acceptance: AcceptanceOf;
  readonly files: SecretFiles | NoSecretFiles;
  /** How long to wait for a webhook with the new value, in ms. */
  readonly waitMs: number;
  /** Called at the beginning of each step. */
  readonly onStep?: (step: string) => void;
  /** Time between two looks at the relay, in ms. */
  readonly pollMs?: number;
  /** How long the former value must not have come before it is dropped, in ms. */
  readonly quietMs?: number;
}

export interface Rotation {
  /**
   * `rotated`: Capillary has a new value. `finished`: it had the configured value already, and the
   * other one has been dropped. `nothing`: there is no other value.
   */
  readonly did: 'rotated' | 'finished' | 'nothing';
  /** Whether the former value is not accepted any more. */
  readonly dropped: boolean;
  /** What is left to do by hand. */
  readonly todo?: string;
}

/** The relay looks at its files every 2 s, and tells other replicas every 5 s. */
const ACCEPTANCE_LIMIT_MS = 60_000;
const POLL_MS = 1_000;
/**
 * Other replicas tell what they have seen every 5 s, and requests with the former value can be on
 * their way.
 */
const QUIET_MS = 10_000;
const SECRET_BYTES = 32;

/** The value of the header at Capillary; undefined if it has none. */
function presentValue({ headers }: Webhook, name: string): string | undefined {
  return Object.entries(headers).find(([key]) => isSameHeader(key, name))?.[1];
}

const NEVER: Acceptance = { accepted: false, acceptedBySome: false, others: 0 };

/** What is left after a rotation whose values are in the configuration. */
const REMOVE_FORMER =
  'remove the former value from the values of the verifier, and run `capillary-relay reload`';

/** Whether a webhook has come with the value since. */
function isUsedSince(now: Acceptance, before: Acceptance): boolean {
  return now.lastVerifiedAt !== undefined && now.lastVerifiedAt !== before.lastVerifiedAt;
}

function isLater({ lastVerifiedAt = '' }: Acceptance, other: string | undefined): boolean {
  return other === undefined || lastVerifiedAt > other;
}

/**
 * Changes the value of the header so that the relay accepts what Capillary sends at every moment,
 * and also if the command is killed: the new value is accepted by every replica before Capillary
 * gets it, and the former one is dropped only after a webhook has come with the new one. Called
 * again, it continues where it was.
 * Source: docs/platforms/capillary.md#static-header
 * @throws RegisterError
 */
export async function rotateHeader(parts: RotationParts): Promise<Rotation> {
  const { client, wanted, acceptance, files, waitMs, onStep = () => undefined } = parts;
  const { pollMs = POLL_MS, quietMs = QUIET_MS } = parts;
  const { name } = wanted.header;
  const headerOf = (value: string): Header => ({ name, value });

  const poll = async (limitMs: number, isDone: () => Promise<boolean>): Promise<boolean> => {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const isLast = performance.now() >= deadline;
      // The relay may be restarted meanwhile.
      const found = await isDone().catch((error: unknown) => {
        if (isLast || !(error instanceof UnreachableError)) throw error;
        return false;
      });
      if (found || isLast) return found;
      await sleep(pollMs);
    }
  };

  const requireAcceptance = async (value: string, limitMs: number): Promise<void> => {
    if (await poll(limitMs, async () => (await acceptance(headerOf(value))).accepted)) return;
    const { acceptedBySome } = await acceptance(headerOf(value));
    throw new RegisterError(
      acceptedBySome
        ? 'not every replica of the relay accepts the new value yet; Capillary still has the former one'
        : 'the running relay does not accept the new value; Capillary still has the former one',
      acceptedBySome
        ? 'wait until all replicas have read the secret, then run the command again'
        : 'add the new value to the values of the verifier, beside the former one, run `capillary-relay reload`, then run the command again',
    );
  };

  const put = async (value: string): Promise<void> => {
    onStep('the relay accepts the new value; changing the header at Capillary');
    await settleWebhook(client, {
      wanted,
      differences: (webhook) => (presentValue(webhook, name) === value ? [] : [`webHookHeaders.${name}`]),
      replace: (webhook) =>
        completeObject(webhook, { webHookHeaders: headersWith(webhook.headers, headerOf(value)) }),
    });
  };

  /**
   * Waits until webhooks come with the new value, and for some time none with the former one; every
   * other value of the verifier if that is not known.
   */
  const awaitUse = async (value: string, before: Acceptance, former?: Header): Promise<void> => {
    const within = formatDuration(waitMs);
    onStep(
      `waiting up to ${within} for a webhook with the new value; both are accepted, and the command can be stopped and run again`,
    );
    let hasArrived = false;
    let known: string | undefined;
    let quietSince = Number.NaN;
    const isReplaced = await poll(waitMs, async () => {
      const formerUse = former && (await acceptance(former)).lastVerifiedAt;
      const use = await acceptance(headerOf(value));
      const formerAt = former ? formerUse : use.othersVerifiedAt;
      hasArrived = isUsedSince(use, before);
      if (!hasArrived || !isLater(use, formerAt)) return false;
      if (Number.isNaN(quietSince) || formerAt !== known) quietSince = performance.now();
      known = formerAt;
      return performance.now() - quietSince >= quietMs;
    });
    if (isReplaced) return;
    if (hasArrived)
      throw new RegisterError(
        `webhooks come with the new value, but also with the former one; the relay accepts both`,
        'look for another webhook at Capillary that sends the former value to this source, then run the command again',
      );
    throw new RegisterError(
      `Capillary has the new value, but no webhook came with it within ${within}; the relay accepts both`,
      'run the command again later: it goes on waiting, and then drops the former value',
    );
  };

  /** Writes the present value into both files, so that no other one is accepted. */
  const dropInFiles = async ({ other, current }: SecretFiles, former: Header): Promise<void> => {
    onStep('dropping the former value');
    await writeSecret(other, await readSecret(current));
    const isGone = await poll(ACCEPTANCE_LIMIT_MS, async () => !(await acceptance(former)).acceptedBySome);
    if (!isGone)
      throw new RegisterError(
        'the relay still accepts the former value',
        'look into its log: it reads the files again every 2 s and keeps the old values if the configuration is invalid',
      );
  };

  const present = async (): Promise<string> => {
    const webhook = await findWebhook(client, wanted);
    const value = webhook === undefined ? undefined : presentValue(webhook, name);
    if (value === undefined)
      throw new RegisterError(
        `Capillary has no webhook with the header ${name}`,
        'run `capillary-relay register apply` first',
      );
    if (webhook?.active === false)
      throw new RegisterError(
        'the webhook is inactive, so no event can come with a new value; nothing was changed',
        'make it active with `capillary-relay register apply`, then run the command again',
      );
    return value;
  };

  /** Both files have the present value: from here on, `current` has a new one. */
  const begin = async ({ current, prefix }: SecretFiles): Promise<string> => {
    const next = randomBytes(SECRET_BYTES).toString('base64url');
    onStep(`writing a new value into ${current}`);
    await writeSecret(current, next);
    return prefix + next;
  };

  const exchange = async (former: string, next: string, limitMs: number): Promise<void> => {
    await requireAcceptance(next, limitMs);
    const before = await acceptance(headerOf(next));
    await put(next);
    await awaitUse(next, before, headerOf(former));
  };

  const rotateFiles = async (chosen: SecretFiles): Promise<Rotation> => {
    const atCapillary = await present();
    const configured = chosen.prefix + (await readSecret(chosen.current));
    const other = chosen.prefix + (await readSecret(chosen.other));
    if (atCapillary === configured && other !== configured) {
      await awaitUse(configured, NEVER, headerOf(other));
      await dropInFiles(chosen, headerOf(other));
      return { did: 'finished', dropped: true };
    }
    if (atCapillary === configured) {
      // The relay must be there before the first change: nothing else can accept the new value.
      await requireAcceptance(configured, 0);
      await exchange(atCapillary, await begin(chosen), ACCEPTANCE_LIMIT_MS);
    } else await exchange(atCapillary, configured, ACCEPTANCE_LIMIT_MS);
    await dropInFiles(chosen, headerOf(atCapillary));
    return { did: 'rotated', dropped: true };
  };

  const rotateConfigured = async (why: string): Promise<Rotation> => {
    const { value } = wanted.header;
    const atCapillary = await present();
    // An earlier call may have ended before a webhook came with the new value.
    if (atCapillary === value && (await acceptance(headerOf(value))).others > 0) {
      await awaitUse(value, NEVER);
      return { did: 'finished', dropped: false, todo: REMOVE_FORMER };
    }
    if (atCapillary === value)
      return {
        did: 'nothing',
        dropped: false,
        todo: `Capillary has the value of webhook.header already. To rotate it, add a new value to the values of the verifier, beside the present one; write the new one into webhook.header.value; run \`capillary-relay reload\`, then this command again. (${why}, so the command cannot do that itself.)`,
      };
    await exchange(atCapillary, value, 0);
    return {
      did: 'rotated',
      dropped: false,
      todo: REMOVE_FORMER,
    };
  };

  return 'why' in files ? rotateConfigured(files.why) : rotateFiles(files);
}
