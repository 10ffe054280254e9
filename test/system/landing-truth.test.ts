import { describeLanding } from './landing/describe-landing.ts';

/* With LONG_RECONCILE=1 of 50,000 events. */

const isLong = process.env['LONG_RECONCILE'] === '1';

describeLanding('over SQLite', async () => ({
  events: isLong ? 50_000 : 1_500,
  seed: 1,
  isSmall: !isLong,
}));
