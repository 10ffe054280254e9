import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/capillary/json.ts';
import { enrichedEvent } from '../../../../src/simulator/capillary/api/event-enrichment.ts';
import {
  FIELD_DEFAULTS,
  type WebhookFields,
} from '../../../../src/simulator/capillary/api/webhook-object.ts';
import { anEvent } from './delivery-rig.ts';

function dataWith(changes: Partial<WebhookFields>, event = anEvent(1)): JsonObject {
  const body = JSON.parse(event.body) as JsonObject;
  return enrichedEvent(body, { ...FIELD_DEFAULTS, ...changes }).data as JsonObject;
}

function identifiersWith(...customerIdentifiersToBeEnriched: string[]) {
  return dataWith({ customerIdentifiersToBeEnriched }).customerIdentifiers;
}

describe('what a webhook gets of an event', () => {
  it('has the customer id alone, without till and store, if nothing is switched on', () => {
    expect(dataWith({})).toEqual({
      customerIdentifiers: { customerId: 520_000_001 },
      enteredBy: { id: 9_000 },
      amount: 12.5,
    });
  });

  it('has the identifiers of the sources that are switched on; cards have a switch of their own', () => {
    const customerId = 520_000_001;
    const contacts = { mobile: '919800000001', externalId: 'TL-1' };
    expect(identifiersWith('Instore')).toEqual({ customerId, instore: contacts });
    expect(identifiersWith('cardnumbers')).toEqual({ customerId, instore: { cardNumbers: ['7070'] } });
    expect(identifiersWith('Instore', 'cardnumbers')).toEqual({
      customerId,
      instore: { ...contacts, cardNumbers: ['7070'] },
    });
    expect(identifiersWith('WeChat', 'WebEngage')).toEqual({
      customerId,
      wechat: { accounts: [] },
      web_engage: { accounts: [] },
    });
  });

  it('has till and store if their switches are on', () => {
    expect(dataWith({ tillDetailsEnrichmentEnabled: true }).enteredBy).toEqual({
      id: 9_000,
      till: { code: 't1' },
    });
    expect(dataWith({ storeDetailsEnrichmentEnabled: true }).enteredBy).toEqual({
      id: 9_000,
      store: { code: 's1' },
    });
  });

  it('has the identifiers of a registration in any case, because the call names the customer by them', () => {
    const { customerIdentifiers } = dataWith({}, anEvent(1, { eventName: 'customerAdded' }));
    expect(customerIdentifiers).toMatchObject({ instore: { mobile: '919800000001' } });
  });

  it('is reduced at every level', () => {
    const data = {
      triggeringActivity: [{ enteredBy: { id: 1, till: {}, store: {} } }],
      addedBy: { till: {} },
    };
    const reduced = { triggeringActivity: [{ enteredBy: { id: 1 } }], addedBy: {} };
    expect(dataWith({}, anEvent(1, { data }))).toEqual(reduced);
  });
});
