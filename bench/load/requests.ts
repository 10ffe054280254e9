import { createHmac } from 'node:crypto';
import { DOCUMENTED_NAMES, generateEvents } from '../../src/simulator/capillary/capillary-events.ts';
import { createRandom, randomUuid } from '../../src/simulator/random.ts';
import type { EventSpec, SendJob } from './job.ts';

const ORG_ID = 100_458;
const FIRST_CUSTOMER = 379_000_000;
/** The customer of jobs with `hot`. */
export const HOT_CUSTOMER = 378_000_000;

/** Creates the body of the next event with this creation time (epoch ms). */
type NextBody = (createdAt: number) => string;

/** A small event, like most of Capillary's; `note` pads it to the requested size. */
function pointsIssued(
  ids: { readonly event: string; readonly customer: number },
  createdAt: number,
  note: string,
) {
  return `{"eventName":"pointsIssued","eventId":"${ids.event}","orgId":${ORG_ID},"refId":"${ORG_ID}_1","createdAt":${createdAt},"data":{"customerIdentifiers":{"customerId":${ids.customer},"instore":{"email":"c${ids.customer}@shop.example"}},"totalPointsIssued":120,"currentPoints":450,"programId":973${note}}}`;
}

function sizedBodies({ body, customers, seed }: EventSpec): NextBody {
  const random = createRandom(seed);
  const ids = () => ({
    event: randomUuid(random),
    customer: customers === 'hot' ? HOT_CUSTOMER : FIRST_CUSTOMER + Math.floor(random() * customers),
  });
  const bare = pointsIssued(ids(), Date.now(), ',"note":""').length;
  const note = `,"note":"${'n'.repeat(Math.max(0, Number(body) - bare))}"`;
  return (createdAt) => pointsIssued(ids(), createdAt, note);
}

function mixedBodies({ count, customers, seed }: EventSpec): NextBody {
  const customerCount = customers === 'hot' ? 1 : customers;
  const options = {
    count,
    customers: customerCount,
    seed,
    orgId: ORG_ID,
    awkward: 0,
    names: DOCUMENTED_NAMES,
  };
  const events = generateEvents(options);
  const bodies = [...events].map(({ body }) => body);
  let next = 0;
  return () => bodies[next++ % bodies.length] ?? '';
}

/** Returns a generator of the bodies of a job, in the order of sending. */
export function createBodyGenerator(spec: EventSpec): NextBody {
  return spec.body === 'mixed' ? mixedBodies(spec) : sizedBodies(spec);
}

/** Returns a function that converts a body to a complete HTTP request with the job's proof. */
export function createRequestEncoder({
  url,
  proof,
}: Pick<SendJob, 'url' | 'proof'>): (body: string) => Buffer {
  const { pathname, host } = new URL(url);
  const head = `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n${proof.header}: `;
  const proofOf = (body: string): string =>
    proof.type === 'header' ? proof.secret : createHmac('sha256', proof.secret).update(body).digest('hex');
  return (body) =>
    Buffer.from(`${head}${proofOf(body)}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
