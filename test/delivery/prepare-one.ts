import type { DestinationConfig, SourceConfig } from '../../src/config/config-schema.ts';
import { createInFlight } from '../../src/delivery/in-flight.ts';
import type { Prepared } from '../../src/delivery/prepare.ts';
import { createPreparer, type PreparerParts } from '../../src/delivery/preparer.ts';
import type { ClaimedEvent } from '../../src/journal/journal.ts';
import type { ProgramCatalogue } from '../../src/mapping/program-catalogue.ts';

export interface PrepareOneParts {
  readonly now: number;
  readonly source: SourceConfig;
  readonly destination: DestinationConfig;
  readonly journal: Pick<PreparerParts['journal'], 'profiles' | 'savePrograms'>;
  readonly programs: ProgramCatalogue;
}

const unused = (): never => {
  throw new Error('not used');
};

/** Prepares one event of the source; rejects if the store fails. */
export function prepareOne(event: ClaimedEvent, parts: PrepareOneParts): Promise<Prepared> {
  const { source, destination, journal, programs } = parts;
  return new Promise((resolve, reject) => {
    const preparer = createPreparer({
      destination,
      journal: { ...journal, append: unused, enrichments: unused, holds: () => true },
      programs,
      observer: {
        errorCaught: (_destination, message, error) => reject(new Error(message, { cause: error })),
      },
      now: () => parts.now,
      onPrepared: (_inFlight, prepared) => resolve(prepared),
      onUnknownSource: () => reject(new Error('the source is unknown')),
      onWaitEnded: () => undefined,
      onReleased: () => reject(new Error('the event was released')),
      onStoreError: (_all, error) => reject(error),
    });
    const sources = new Map([[event.source, source]]);
    preparer.prepare([createInFlight('token', event)], {
      sources,
      contacts: undefined,
      enrichers: new Map(),
    });
  });
}
