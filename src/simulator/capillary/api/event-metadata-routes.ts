import { CATALOGUE } from '../../../capillary/catalogue.ts';
import type { JsonObject } from '../../../capillary/json.ts';
import type { Answer } from '../../adobe/exchange.ts';
import { failure, v3Answer } from './api-answers.ts';
import type { CapillaryCall, CapillaryRoute } from './api-route.ts';

const EVENT_NAMES: readonly string[] = [...CATALOGUE.keys()];

const ACCESS = { resource: 'Webhooks', rights: ['read'] } as const;

function listEvents(): Answer {
  return v3Answer(EVENT_NAMES.map((eventName) => ({ active: true, eventName })));
}

/** The envelope; what `data` has is not described further. */
function schemaOf(eventName: string): JsonObject {
  const text = { type: 'string' };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: eventName,
    type: 'object',
    properties: {
      eventName: { type: 'string', const: eventName },
      eventId: text,
      orgId: { type: 'integer' },
      refId: text,
      apiRequestId: text,
      createdAt: { type: 'integer' },
      data: { type: 'object' },
    },
  };
}

function showEvent({ params }: CapillaryCall): Answer {
  const { eventName = '' } = params;
  if (!EVENT_NAMES.includes(eventName)) return failure('v3', 404, 'Event not found');
  return v3Answer({ active: true, eventName, schema: schemaOf(eventName) });
}

/** The events that a webhook can list, with their schemas. */
export const EVENT_METADATA_ROUTES: readonly CapillaryRoute[] = [
  { method: 'GET', path: '/v3/webHooks/eventMetaData', access: ACCESS, answer: listEvents },
  { method: 'GET', path: '/v3/webHooks/eventMetaData/:eventName', access: ACCESS, answer: showEvent },
];
