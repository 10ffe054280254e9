import type { Head } from './lane-heads.ts';
import type { HeldClaim } from './held-claim.ts';

/** A claim and what it holds in memory. */
export interface BookedClaim<Queue> {
  readonly claim: HeldClaim;
  readonly head: Head;
  readonly queue: Queue;
}

/** The claims that were returned to claimants, by receipt. They end with the process. */
export class ClaimBook<Queue> {
  readonly #booked = new Map<string, BookedClaim<Queue>>();

  add(booked: BookedClaim<Queue>): void {
    this.#booked.set(booked.claim.receipt, booked);
  }

  find(token: string, receipt: string): HeldClaim | undefined {
    const claim = this.#booked.get(receipt)?.claim;
    return claim?.token === token ? claim : undefined;
  }

  /** The claim of an event, under whatever token. */
  of(receipt: string): HeldClaim | undefined {
    return this.#booked.get(receipt)?.claim;
  }

  /** Undefined if the claim has ended before. */
  remove(claim: HeldClaim): BookedClaim<Queue> | undefined {
    const booked = this.#booked.get(claim.receipt);
    if (booked?.claim !== claim) return undefined;
    this.#booked.delete(claim.receipt);
    return booked;
  }

  /** Removes the claims of these heads, whose slots were lost. */
  removeHeads(heads: ReadonlySet<Head>): void {
    for (const [receipt, { head }] of this.#booked) if (heads.has(head)) this.#booked.delete(receipt);
  }
}
