import { secretFingerprint, sentSecrets } from '../../sources/secret-fingerprint.ts';
import type { AdminClient } from '../admin-client.ts';

/** Answer of GET /admin/v1/sources, with the fields that `register` reads. */
export interface SourcesAnswer {
  readonly replicas: number;
  readonly sources: readonly {
    readonly source: string;
    readonly accepts: readonly {
      readonly name: string;
      readonly secrets: readonly {
        readonly fingerprint: string;
        readonly acceptedBy: number;
        readonly lastVerifiedAt?: string;
      }[];
    }[];
    readonly events?: { readonly accepted: number; readonly malformed: number };
  }[];
}

/** What the running relay says of one header that Capillary may send. */
export interface Acceptance {
  /** All replicas accept it. */
  readonly accepted: boolean;
  /** At least one replica accepts it. */
  readonly acceptedBySome: boolean;
  /** Number of other secrets that the same verifier accepts. */
  readonly others: number;
  /** ISO 8601; when a webhook came with one of the others last. */
  readonly othersVerifiedAt?: string;
  /** ISO 8601; when a webhook came with it last, at any replica. */
  readonly lastVerifiedAt?: string;
}

export interface Header {
  readonly name: string;
  readonly value: string;
}

/** Asks the running relay about headers of one source. */
export type AcceptanceOf = (header: Header) => Promise<Acceptance>;

/** The fingerprints are slow to compute, so each is kept. */
function createFingerprints(source: string): (verifier: string, secret: string) => Promise<string> {
  const known = new Map<string, Promise<string>>();
  return (verifier, secret) => {
    const key = JSON.stringify([verifier, secret]);
    const found = known.get(key) ?? secretFingerprint({ source, verifier }, secret);
    known.set(key, found);
    return found;
  };
}

/** The secrets themselves never go to the relay, and never come from it. */
export function acceptanceAt(client: Pick<AdminClient, 'get'>, source: string): AcceptanceOf {
  const fingerprintOf = createFingerprints(source);
  return async (header) => {
    const { replicas, sources } = await client.get<SourcesAnswer>('/sources', { source });
    const accepts = sources.find((entry) => entry.source === source)?.accepts ?? [];
    for (const { verifier, secret } of sentSecrets(header)) {
      const fingerprint = await fingerprintOf(verifier, secret);
      const accepted = accepts.find(({ name }) => name === verifier)?.secrets ?? [];
      const found = accepted.find((entry) => entry.fingerprint === fingerprint);
      if (found === undefined) continue;
      const others = accepted.filter((entry) => entry !== found);
      const lastOther = others
        .flatMap(({ lastVerifiedAt }) => lastVerifiedAt ?? [])
        .toSorted()
        .at(-1);
      return {
        accepted: found.acceptedBy >= replicas,
        acceptedBySome: true,
        others: others.length,
        ...(found.lastVerifiedAt === undefined ? {} : { lastVerifiedAt: found.lastVerifiedAt }),
        ...(lastOther === undefined ? {} : { othersVerifiedAt: lastOther }),
      };
    }
    return { accepted: false, acceptedBySome: false, others: 0 };
  };
}
