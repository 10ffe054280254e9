/** Outcomes of webhooks that were answered 200. */
export const ACCEPTED_OUTCOMES: ReadonlySet<string> = new Set(['accepted', 'partly-malformed', 'duplicate']);
