import { z } from 'zod';
import { duration, integer, size } from './units.ts';

/** How messages are put together into requests. */
export const batchSchema = z.strictObject({
  maxBytes: size({ min: '20KB', max: '990KB' })
    .prefault('900KB')
    .describe('Largest request body; Adobe refuses 1 MB and more with 413.'),
  maxMessages: integer(1, 10_000)
    .prefault(200)
    .describe('Most messages in a request; above limits.messagesPerSecond it counts as that.'),
  maxWait: duration({ max: '1m' })
    .prefault('200ms')
    .describe('How long after its receipt a message still waits for others.'),
});

/** Most that a destination is sent. */
export const limitsSchema = z.strictObject({
  requestsPerSecond: integer(1, 1_000).prefault(500).describe('Requests per second; Adobe allows 1000.'),
  messagesPerSecond: integer(1, 10_000)
    .prefault(5_000)
    .describe('Messages per second; Adobe allows 10000 in batches. Over about 1500/s Profile lags behind.'),
  concurrency: integer(1, 64).prefault(8).describe('Requests under way at once.'),
});

/** What happens after a failure that is not the message's fault. */
export const retrySchema = z.strictObject({
  minDelay: duration({ min: '1ms', max: '1d' })
    .prefault('1s')
    .describe('First delay; it doubles, with jitter.'),
  maxDelay: duration({ min: '1ms', max: '1d' })
    .prefault('5m')
    .describe('Longest delay between two attempts.'),
  maxAge: duration({ min: '1ms' })
    .prefault('7d')
    .describe(
      "Age at which an event that keeps failing by itself becomes a dead letter; Adobe's outages do not count.",
    ),
  poisonAttempts: integer(1, 100)
    .prefault(8)
    .describe('Attempts after which an event that fails alone while others pass becomes a dead letter.'),
});
