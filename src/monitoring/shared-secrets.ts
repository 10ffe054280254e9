import { setTimeout as sleep } from 'node:timers/promises';
import type { AcceptedSecret, SecretSource } from '../admin/admin-parts.ts';
import type { Journal } from '../journal/journal.ts';
import { secretFingerprint } from '../sources/secret-fingerprint.ts';
import type { SourceTable } from '../sources/source-table.ts';

type UsedSecret = ReturnType<SourceTable['secrets']>[number];

const NAME = 'secrets';
/** How old can be what the others know; a rotation waits for it. */
const POST_MS = 5_000;

export interface SharedSecretsParts {
  readonly sources: Pick<SourceTable, 'secrets'>;
  readonly journal: Pick<Journal, 'postReport' | 'otherReports' | 'replicaCount'>;
}

export interface SharedSecrets extends SecretSource {
  /** Lets the other replicas read what this one accepts, until the abort. */
  post(signal: AbortSignal, everyMs?: number): Promise<void>;
}

/** What one replica accepts. */
type OwnSecret = Omit<AcceptedSecret, 'acceptedBy'>;

function keyOf({ source, verifier, fingerprint }: OwnSecret): string {
  return JSON.stringify([source, verifier, fingerprint]);
}

/** The secrets of all reports, with how many replicas accept each, and its last use at any. */
function merge(reports: readonly (readonly OwnSecret[])[]): readonly AcceptedSecret[] {
  const merged = new Map<string, AcceptedSecret>();
  for (const secret of reports.flat()) {
    const known = merged.get(keyOf(secret));
    const acceptedBy = (known?.acceptedBy ?? 0) + 1;
    const uses = [known?.lastVerifiedAt, secret.lastVerifiedAt].filter((at) => at !== undefined);
    const use = uses.length === 0 ? {} : { lastVerifiedAt: Math.max(...uses) };
    merged.set(keyOf(secret), { ...secret, acceptedBy, ...use });
  }
  return [...merged.values()];
}

function nameOf({ source, verifier, secret }: UsedSecret): string {
  return JSON.stringify([source, verifier, secret]);
}

interface Fingerprints {
  (used: UsedSecret): Promise<string>;
  /** Forgets all others. */
  keep(current: readonly UsedSecret[]): void;
}

/**
 * The hash is slow on purpose, so each secret is hashed once, and one after the other: hundreds at
 * a time would keep what else needs a thread of Node, such as the look-up of a host, waiting.
 */
function createFingerprints(): Fingerprints {
  const known = new Map<string, Promise<string>>();
  let last: Promise<unknown> = Promise.resolve();
  const fingerprintOf = (used: UsedSecret): Promise<string> => {
    const key = nameOf(used);
    const found = known.get(key) ?? last.then(() => secretFingerprint(used, used.secret));
    if (!known.has(key)) last = found;
    known.set(key, found);
    return found;
  };
  return Object.assign(fingerprintOf, {
    keep(current: readonly UsedSecret[]) {
      const keys = new Set(current.map(nameOf));
      for (const key of known.keys()) if (!keys.has(key)) known.delete(key);
    },
  });
}

/**
 * The static secrets that the replicas accept, as fingerprints. Replicas read a secret at different
 * times, and a webhook reaches one of them only.
 */
export function createSharedSecrets({ sources, journal }: SharedSecretsParts): SharedSecrets {
  const fingerprintOf = createFingerprints();

  const own = async (of?: string): Promise<readonly OwnSecret[]> => {
    const all = sources.secrets();
    fingerprintOf.keep(all);
    const asked = of === undefined ? all : all.filter(({ source }) => source === of);
    return Promise.all(
      asked.map(async (used) => {
        const { source, verifier, lastVerifiedAt } = used;
        const use = lastVerifiedAt === undefined ? {} : { lastVerifiedAt };
        return { source, verifier, fingerprint: await fingerprintOf(used), ...use };
      }),
    );
  };

  const isAlone = (): boolean => journal.replicaCount() === 1;

  return {
    async report(source) {
      const others = isAlone() ? [] : await journal.otherReports(NAME);
      const reports = others.map((json) => JSON.parse(json) as readonly OwnSecret[]);
      return { replicas: journal.replicaCount(), secrets: merge([await own(source), ...reports]) };
    },
    async post(signal, everyMs = POST_MS) {
      let posted = '';
      while (!signal.aborted) {
        const json = isAlone() ? posted : JSON.stringify(await own());
        // What could not be written is written the next time.
        if (json !== posted)
          await journal.postReport(NAME, json).then(
            () => (posted = json),
            () => undefined,
          );
        await sleep(everyMs, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}
