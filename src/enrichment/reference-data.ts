import type { CustomerEntity } from '../capillary/entities.ts';
import type { ApiCaller } from './api-caller.ts';
import { type CallQueue, PRIORITY, type Priority } from './api-call-queue.ts';
import { createProductNames } from './product-names.ts';
import type { CapillaryReads } from '../capillary/api/capillary-reads.ts';
import { createReferenceValue } from './reference-value.ts';
import type { StageClock } from './stage-clock.ts';

export interface ReferenceDataParts {
  readonly caller: ApiCaller;
  readonly queue: CallQueue;
  readonly reads: Pick<CapillaryReads, 'programs' | 'baseCurrency' | 'productNames'>;
  readonly clock: StageClock;
}

/**
 * What changes seldom: the organisation's programs and currency, and the names of products. It is
 * read when it is first needed. Whoever needs it waits for the first answer only, and not for long:
 * without it an event is still worth sending.
 */
export interface ReferenceData {
  /** The default program, once it is known. */
  defaultProgram(): string | undefined;
  /** Resolves when the programs are known, or cannot be known now. */
  whenProgramsAreKnown(priority: Priority): Promise<void> | undefined;
  /** The customer with the names of programs, and which is the default. */
  withProgramNames(customer: CustomerEntity): CustomerEntity;
  /** ISO code of the currency of bills that do not say theirs. */
  currencyOfBills(priority: Priority): Promise<string | undefined> | string | undefined;
  /** By SKU; those without a name are absent. */
  productNames(
    skus: readonly string[],
    priority: Priority,
  ): Promise<ReadonlyMap<string, string>> | ReadonlyMap<string, string>;
  /** Reads the programs to find out whether the API is back. @returns whether Capillary answered */
  probe(): Promise<boolean>;
}

export function createReferenceData(parts: ReferenceDataParts): ReferenceData {
  const { caller, queue, reads, clock } = parts;
  const programs = createReferenceValue({
    read: (ticket, options) => caller.call('programs', ticket, (signal) => reads.programs(signal), options),
    queue,
    clock,
  });
  const currency = createReferenceValue({
    read: (ticket, options) =>
      caller.call('currency', ticket, (signal) => reads.baseCurrency(signal), options),
    queue,
    clock,
  });
  const products = createProductNames({ caller, queue, reads, clock });

  return {
    defaultProgram: () => programs.last?.find(({ isDefault }) => isDefault)?.programId,
    whenProgramsAreKnown(priority) {
      const known = programs.get(priority);
      return known instanceof Promise ? known.then(() => undefined) : undefined;
    },
    withProgramNames(customer) {
      const known = programs.last;
      if (known === undefined) return customer;
      const named = customer.programs.map((program) => {
        const entry = known.find(({ programId }) => programId === program.programId);
        if (entry === undefined) return program;
        const name = program.name ?? entry.name;
        return { ...program, isDefault: entry.isDefault, ...(name === undefined ? {} : { name }) };
      });
      return { ...customer, programs: named };
    },
    currencyOfBills: (priority) => currency.get(priority),
    productNames: (skus, priority) => products.get(skus, priority),
    async probe() {
      const result = await programs.load(PRIORITY.live, { isProbe: true });
      return result.ok || 'refusal' in result || result.reason === 'forbidden';
    },
  };
}
