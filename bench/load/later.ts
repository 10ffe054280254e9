/*
 * Preload of the relay (--import, with the days after `?`): its clock is ahead by that many days,
 * so that the age of what it stored exceeds the retention.
 */
const DAY_MS = 86_400_000;
const aheadMs = Number(new URL(import.meta.url).search.slice(1)) * DAY_MS;
const now = Date.now;
Date.now = () => now() + aheadMs;
