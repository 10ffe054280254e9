// `helm test` runs this in a pod: node check-relay.mjs URL…
// Each URL must answer 2xx, at every address of its host: a headless Service has one for each pod.
// A relay that is still starting has a minute.
import { lookup } from 'node:dns/promises';

const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 60_000);
const INTERVAL_MS = 2_000;
const REQUEST_TIMEOUT_MS = 5_000;

async function answerOf(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    return { url, ok: response.ok, text: `${response.status} ${(await response.text()).trim()}` };
  } catch (error) {
    return { url, ok: false, text: `${error.message}: ${error.cause?.message ?? 'no answer'}` };
  }
}

/** The URL with each address of its host; as it is if there is only one. */
async function urlsOf(url) {
  const { hostname } = new URL(url);
  const found = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true }).catch(() => []);
  if (found.length < 2) return [url];
  return found.map(({ address, family }) => {
    const one = new URL(url);
    one.hostname = family === 6 ? `[${address}]` : address;
    return one.href;
  });
}

async function answersOf(url) {
  return Promise.all((await urlsOf(url)).map(answerOf));
}

const until = Date.now() + PATIENCE_MS;
// In the pod the script is an argument itself, so the position of the first URL differs.
for (const url of process.argv.filter((word) => /^https?:/.test(word))) {
  let answers = await answersOf(url);
  while (!answers.every(({ ok }) => ok) && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    answers = await answersOf(url);
  }
  for (const { url: asked, ok, text } of answers) console.log(`${ok ? 'ok    ' : 'failed'} ${asked} ${text}`);
  if (!answers.every(({ ok }) => ok)) process.exitCode = 1;
}
