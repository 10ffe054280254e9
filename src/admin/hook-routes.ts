import type { FastifyInstance, FastifyReply } from 'fastify';
import { ProblemError } from '../http/problems.ts';
import type { NotificationHook } from '../reconciliation/aep/notification-hook.ts';

/** Notifications of Adobe; undefined of a relay without any. */
export type HookSource = Pick<NotificationHook, 'isConfigured' | 'receive'>;

interface HookParts {
  readonly hook?: HookSource | undefined;
}

const PATH = '/hooks/adobe';
/** A notification has less than 2 KB; Adobe can send some of them together. */
const MAX_BODY_BYTES = 65_536;
/** Per address, and with a proxy in front of it all together. */
const MAX_REQUESTS_PER_SECOND = 50;
const MAX_CHALLENGE_CHARS = 200;

const NOT_CONFIGURED =
  'no destination has reconcile.notifications in the configuration, so notifications are not accepted';

function requireHook({ hook }: HookParts): HookSource {
  if (hook?.isConfigured() !== true) throw new ProblemError('not-found', NOT_CONFIGURED);
  return hook;
}

/** Adobe compares the value with the one that it has sent. */
function answerChallenge(reply: FastifyReply, challenge: string): FastifyReply {
  return reply.send({ challenge });
}

/**
 * `GET` and `POST /hooks/adobe` for Adobe I/O Events, without a bearer token: what is accepted is
 * signed by Adobe and for the configured client id (docs/platforms/adobe.md#notifications).
 */
export function hookRoutes(parts: HookParts) {
  return async (app: FastifyInstance): Promise<void> => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    app.addHook('onRequest', app.rateLimit({ max: MAX_REQUESTS_PER_SECOND }));
    app.addHook('onRequest', async () => void requireHook(parts));
    app.route<{ Querystring: { readonly challenge?: unknown } }>({
      method: 'GET',
      url: PATH,
      handler: async ({ query: { challenge } }, reply) => {
        if (typeof challenge !== 'string' || challenge === '' || challenge.length > MAX_CHALLENGE_CHARS)
          throw new ProblemError('bad-request', 'challenge: must be given once, as Adobe sends it');
        return answerChallenge(reply, challenge);
      },
    });
    app.route({
      method: 'POST',
      url: PATH,
      bodyLimit: MAX_BODY_BYTES,
      handler: async ({ body, headers }, reply) => {
        const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
        const outcome = await requireHook(parts).receive({ body: bytes, headers });
        if (typeof outcome === 'object') return answerChallenge(reply, outcome.challenge);
        if (outcome === 'refused')
          throw new ProblemError(
            'not-verified',
            "it is no notification that Adobe has signed for this relay's client id",
          );
        if (outcome === 'unavailable')
          throw new ProblemError('keys-unavailable', 'send the notification again later', 60);
        return reply.send({ outcome });
      },
    });
  };
}
