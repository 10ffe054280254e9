import type { Finding } from './config-error.ts';
import type { DestinationDraft, Draft, SourceDraft } from './draft.ts';
import type { EnrichConfig } from './enrich-config.ts';

type Check = (
  enrich: EnrichConfig,
  source: SourceDraft,
  destination: DestinationDraft | undefined,
) => readonly Finding[];

const checkApi: Check = (_, source) =>
  // A key that is there but invalid is no part of the draft.
  'api' in source && source.api === undefined
    ? [
        {
          path: [],
          message: 'needs `api`: events are completed from the REST API of Capillary',
          fix: 'add `api` with the url, key and secret of an API client to the source, or remove `enrich`',
        },
      ]
    : [];

const checkParts: Check = ({ transactions, customers }) =>
  transactions || customers
    ? []
    : [
        {
          path: [],
          message: 'completes nothing: transactions and customers are both false',
          fix: 'make one of them true, or remove `enrich`',
        },
      ];

const checkDelays: Check = ({ coalesce, maxDelay }) =>
  coalesce < maxDelay
    ? []
    : [
        {
          path: ['coalesce'],
          message: 'is not below maxDelay: an event would be sent before its call is made',
          fix: 'make coalesce the smaller of the two, such as coalesce 3s and maxDelay 60s',
        },
      ];

const checkAge: Check = ({ maxDelay }, _, destination) =>
  destination?.retry === undefined || maxDelay < destination.retry.maxAge
    ? []
    : [
        {
          path: ['maxDelay'],
          message: `is not below retry.maxAge of the destination ${destination.name}: an event that waited so long would be too old to be tried again`,
          fix: 'make it smaller; the default is 60s',
        },
      ];

const checkFormat: Check = (_, __, destination) =>
  destination?.format === 'raw'
    ? [
        {
          path: [],
          message: `has no effect: the destination ${destination.name} has the format raw, so Adobe maps the events as they came`,
          fix: 'remove `enrich`, or write `format: xdm` at the destination',
          severity: 'warning',
        },
      ]
    : [];

const CHECKS: readonly Check[] = [checkApi, checkParts, checkDelays, checkAge, checkFormat];

/** Problems of `sources[].enrich` with other keys. */
export function enrichFindings({ sources, destinations }: Draft): Finding[] {
  return sources.flatMap((source, index) => {
    const { enrich } = source;
    if (enrich === undefined) return [];
    const destination = destinations.find(({ name }) => name !== undefined && name === source.destination);
    return CHECKS.flatMap((check) => check(enrich, source, destination)).map((finding) => ({
      ...finding,
      path: ['sources', index, 'enrich', ...finding.path],
    }));
  });
}
